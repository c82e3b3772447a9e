"""One reference of the native API of all services: an OpenAPI document, and a page to read."""
