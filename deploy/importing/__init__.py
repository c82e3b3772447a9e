"""Moving in: what other systems hold becomes shares of this one, under the same codes and links.

`python -m deploy.importing` is the operator's command. `filecodebox` and `fileuploader` read the stores of those
systems; `working` brings what they found in by the same use cases as an upload.
"""
