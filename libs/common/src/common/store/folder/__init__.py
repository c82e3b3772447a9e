"""The object store that is a folder of this machine: an object is a plain file.

    format               says that this is such a folder, and of which version
    objects/aa/bb/NAME   the objects; aa and bb are the first bytes of a hash of the key
    unfinished/NAME~ID   files that are being written; they are synced and then renamed to their place
    damaged/NAME~ID      objects that were found to have another size than they must have

`layout` names the files, `files` works on them in threads, `pouring` brings bytes from the event loop to the threads,
and `store` is the store itself. Several processes may use one folder.
"""

from common.store.folder.store import FolderStore

__all__ = ["FolderStore"]
