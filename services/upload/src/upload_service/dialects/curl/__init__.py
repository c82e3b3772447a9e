"""curl and its like: `curl -T FILE HOST/` and `curl -F file=@FILE HOST/`, answered in plain text.

`routes` has the calls, `wishes` reads how a file is to be shared, and `answers` has the texts.
"""
