# shellcheck shell=bash disable=SC2034
# The accounts of every node. The passwords are worth nothing: they exist only in the bed, and only so that
# password logins and a sudo that asks can be tested. root and busy have no password at all.
# Sourced by build-base (which makes the accounts) and by up (which writes the passwords into target/bed/env).

BED_PASSWORD_OPS=ops-bed-password     # ops: sudo without a password
BED_PASSWORD_ASKS=asks-bed-password   # asks: sudo that asks for this password
BED_PASSWORD_GUEST=guest-bed-password # guest: no sudo

# Every account that accepts the bed's key, with its home.
BED_HOMES="root:/root ops:/home/ops asks:/home/asks guest:/home/guest busy:/home/busy"
