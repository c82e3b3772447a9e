"""The native API of live events: event streams, WebSockets, and tickets for them."""
