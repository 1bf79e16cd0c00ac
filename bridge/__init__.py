"""webex-guest-bridge: customers without a Webex account talk 1:1 with the agent on duty, as Webex guests."""
