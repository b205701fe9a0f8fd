#!/bin/bash
# secrets.sh FOLDER NAME...: makes the secrets that are not there yet, each a
# file of random text, for the compose files. One that is there is left as it
# is, also an empty one: whoever is given it refuses it.
#
# secrets.sh --need FOLDER NAME...: makes none, and fails when one is missing.
#
# The folder is for its owner only; within it a file may be read, because the
# program in the container is another user, and is given the file alone.
set -euo pipefail

need=''
if [ "${1:-}" = --need ]; then
	need=1
	shift
fi
[ $# -ge 2 ] || { echo "usage: $0 [--need] FOLDER NAME ..." >&2; exit 2; }
folder=$1
shift

mkdir -p "$folder"
chmod go= "$folder"
for name; do
	[ ! -f "$folder/$name" ] || continue
	if [ -n "$need" ]; then
		echo "secrets: $folder/$name is missing: copy the" \
		    "controller's there, with mode 444" >&2
		exit 1
	fi
	od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$folder/$name.new"
	chmod 444 "$folder/$name.new"
	mv "$folder/$name.new" "$folder/$name"
	echo "  SECRET $folder/$name"
done
