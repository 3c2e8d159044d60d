"""What programs of an organisation ask for over HTTP, under /api/v1/ (docs/api.md).

`operations` has one function an address, `shapes` what goes in and out, `callers` who asks, `pages` long lists,
`problems` every refusal, `address` what surrounds each operation: the OpenAPI file, its page, ETags, plain refusals.
"""
