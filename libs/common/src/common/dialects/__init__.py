"""What two services must say in the same words, because one foreign protocol is answered by both."""
