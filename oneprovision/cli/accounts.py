"""`user` and `group`."""

from onecore.cli.accounts import groups_of

user, group = groups_of("oneprovision")
