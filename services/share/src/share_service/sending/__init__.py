"""Sending: shares of several items, their codes and their contents, as senders make, watch and change them."""
