"""Evidence packs: all that is known of one order in a file that anybody can check.

`gather` reads an order out of a table, `case` is what is in a pack, `telling` and `page` tell it to
people, `zipped` makes one file of it, `check` tries whether it all fits, `command` is the command.
docs/evidence.md says what that proves.
"""
