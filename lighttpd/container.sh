#!/bin/sh
# container.sh: the controller as a container's first process.
#
# Refuses to start with a wrong setting or without credentials, and says
# which: a container that runs and answers 503 to everybody would only hide
# that. What is wrong with the database is left to /ready, because it may be
# mended while this runs. Becomes lighttpd.
set -eu
trap 'exit 0' INT TERM		# a first process has no other default

here=$(cd "$(dirname "$0")" && pwd)
if ! said=$(dcm-controller --check 2>&1); then
	case $said in
	"ok   settings"*)
		printf '%s\n' "$said" | grep '^bad ' >&2
		! printf '%s\n' "$said" | grep -q '^bad  credentials' ||
			exit 1
		;;
	*)
		printf '%s\n' "$said" >&2
		exit 1
		;;
	esac
fi
exec "$here/run.sh"
