"""The ground floor: the words of Midspan and the rules over them.

Everything here is a value or a pure function. No clock, socket, database, environment or
randomness: a caller passes `now` and gets a value back. Standard library only, and numpy in
`histogram`. Every other package may import this one; it imports nobody.
"""
