"""Every SQL statement of the upload service, by table. The database's clock judges every lease and expiry."""
