"""Statements of reasons: what the EU Transparency Database and the seller are told of a restriction."""
