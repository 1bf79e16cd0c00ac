"""All that speaks HTTP with Webex: `wire*` (bytes in, value or error out), `client`, minters, `setup`."""
