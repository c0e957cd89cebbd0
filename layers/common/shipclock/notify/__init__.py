"""Telling people: what goes to whom, when, in which words, and how often that is tried.

What the product has to say is put on the event bus as it happens. For people it is collected, per
destination and shop, and leaves as few messages as its level allows (docs/notifications.md).
"""
