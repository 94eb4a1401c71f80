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
flush
processes
volumes
users
ssh_service
flush
authorized
listeners
components
layout
flush
certificates
defences
firewall
