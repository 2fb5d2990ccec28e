"""`user` and `group`: accounts of the state file, which a server answers nothing about."""

from onecore.cli.accounts import groups_of

user, group = groups_of("oneflow")
