"""The pages of files, as a browser shows them: plain HTML, made here, that needs no script."""
