#!/bin/sh
# as_installed.sh TREES USERS COMMAND…: run a command as if the Debian packages unpacked at TREES (by spaces) were
# installed and their USERS (name:number, by spaces) existed. Everything happens in a mount namespace of its own
# (unshare -m) and is gone with it: the machine stays as it is.
set -eu
trees=$1 users=$2
shift 2
scratch=$(mktemp -d)
mount -t tmpfs tmpfs "$scratch"
for top in etc usr var; do
    lower=/$top
    for tree in $trees; do
        [ ! -d "$tree/$top" ] || lower=$tree/$top:$lower
    done
    mkdir -p "$scratch/$top" "$scratch/$top.work"
    mount -t overlay overlay -o "lowerdir=$lower,upperdir=$scratch/$top,workdir=$scratch/$top.work" "/$top"
done
for user in $users; do
    echo "${user%:*}:x:${user#*:}:${user#*:}::/nonexistent:/bin/false" >>/etc/passwd
    echo "${user%:*}:x:${user#*:}:" >>/etc/group
done
exec "$@"
