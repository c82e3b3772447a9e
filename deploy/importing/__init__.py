"""Moving in: what other systems hold comes into this one, under the same codes, links and names.

`python -m deploy.importing` is the operator's command. `filecodebox`, `fileuploader` and `mirage` read the stores of
those systems; `working` brings shares in by the same use cases as an upload, and `people` accounts, rooms and messages.
"""
