"""Administration: all shares listed, searched, summed and changed, whoever owns them."""
