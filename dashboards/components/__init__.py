"""Small parts of pages: values in, component out.

They ask no query and know no session. Text goes in as text children or as props that the browser
treats as text; nothing here takes HTML or Markdown. A part whose content changes carries ids from
`dashboards.ids`, so that a callback writes its props and never replaces it.
"""
