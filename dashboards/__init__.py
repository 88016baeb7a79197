"""The pages people meet. Reads through `app.queries` only; never touches a table.

A page is a fixed skeleton whose callbacks write props (figures, rows, text), because replacing
component trees is slow in Dash and loses focus and scroll. Every callback takes its scope from
the session on the server and nothing from the browser but the question.
"""
