"""Fetches bring files from other servers by their URL.

- `jobs`: a fetch as its owner sees it; `waiting`: for a client that waits for the result
- `running`: a worker's whole run of one fetch, with `receiving` (one connection to the server) and `work` (the claim
  on the fetch and its records)
- `names`: the name of a fetched file
"""
