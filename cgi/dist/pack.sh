#!/bin/bash
# pack.sh PROGRAM VERSION ARCHIVE: what is unpacked on a shared host. `make
# dist-cgi` comes here with a program that looks for its libraries beside
# itself (rpath $ORIGIN/lib).
#
# The C library is the host's own; every other one goes along. What must not
# be read has mode bits that say so: where .htaccess is ignored, a web server
# that runs as another user can execute the program, and read nothing.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
program=$1 version=$2 archive=$3
name=dcm-cgi-$version
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

# pack_libraries FILE: "package path" of each that is not the C library's.
pack_libraries()
{
	ldd "$1" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' |
	    while read -r library; do
		case ${library##*/} in
		libc.so.* | libm.so.* | libdl.so.* | librt.so.*) continue ;;
		libpthread.so.* | libresolv.so.*) continue ;;
		esac
		dpkg-query -S "*/${library##*/}" | sed -n "1s|:.*| $library|p"
	done
}

# The newest glibc that anything here asks for.
pack_glibc()
{
	objdump -T "$@" | sed -n 's/.*(\{0,1\}GLIBC_\([0-9.]*\).*/\1/p' |
	    sort -Vu | tail -n 1
}

into=$temp/$name
install -d -m 711 "$into" "$into/lib"
install -m 711 "$program" "$into/dcm.fcgi"
strip --strip-unneeded "$into/dcm.fcgi"
pack_libraries "$program" >"$temp/libraries"
[ -s "$temp/libraries" ]
while read -r package library; do
	install -m 644 "$library" "$into/lib"
	install -m 600 "/usr/share/doc/$package/copyright" \
	    "$into/lib/$package.copyright"
done <"$temp/libraries"
install -m 644 "$here/htaccess" "$into/.htaccess"
install -m 600 "$here/settings.example" "$here/nginx.conf" \
    "$here/../../LICENSE" "$here/../../swagger.yaml" "$into"
sed -e "s/VERSION/$version/g" -e "s/MACHINE/$(uname -m)/" \
    -e "s/GLIBC/$(pack_glibc "$into/dcm.fcgi" "$into"/lib/*.so*)/" \
    "$here/README" >"$into/README"
chmod 600 "$into/README"
tar -C "$temp" --sort=name --owner=0 --group=0 --numeric-owner \
    -czf "$archive.new" "$name"
mv "$archive.new" "$archive"
