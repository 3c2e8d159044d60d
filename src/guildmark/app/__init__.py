"""The Django product: records, queries, services, tasks, web, access, settings."""
