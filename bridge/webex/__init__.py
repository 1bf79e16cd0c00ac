"""All that speaks HTTP with Webex: `wire*` (bytes in, value or typed error out), `client`, minters, `setup`."""
