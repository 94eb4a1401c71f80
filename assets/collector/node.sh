# What the first script reads, and in what order. A part of ../collector.sh.
#@ host
#@ volumes
#@ processes
#@ sshd
#@ keys
#@ paths
#@ components
#@ manager
#@ defences
#@ firewall

host
mounts
units
processes
volumes
users
ssh_service
authorized
listeners
components
layout
certificates
defences
firewall
