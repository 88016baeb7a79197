"""A platform and eight partners on loopback, each with behaviour one can recognise.

Never imported by the product.
"""
