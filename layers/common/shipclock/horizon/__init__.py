"""What lies ahead of open orders: what runs out soon, what follows if nothing happens, and the
calendar of it. Everything is worked out anew from the facts; nothing here is kept or sent."""
