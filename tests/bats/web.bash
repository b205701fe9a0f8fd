# web.bash: the archive of `make dist-cgi` as its README says, below a site of
# stock Apache or nginx. helper.bash loads it for the transports cgid and
# fcgid (Apache with mod_cgid, mod_fcgid) and fcgiwrap (nginx).
#
# Each is an instance of the test's own: own configuration, own port. As root
# it serves as www-data, as the system's would; otherwise as who runs it.
# shellcheck disable=SC2034,SC2154	# helper.bash's: bin, dir, base, prefix

# The newest, where several versions were packed.
web_archive()
{
	local archives=("$(dirname "$bin")"/dcm-cgi-*.tar.gz) newest one
	for one in "${archives[@]}"; do
		[ -n "$newest" ] && [ "$newest" -nt "$one" ] || newest=$one
	done
	echo "$newest"
}

# web_open FOLDER...: given to the web server's user, who may come there.
web_open()
{
	local above=$dir
	[ "$(id -u)" = 0 ] || return 0
	chown -R www-data: "$@"
	while [[ $above == /tmp/?* ]]; do
		chmod a+x "$above"
		above=$(dirname "$above")
	done
}

# web_unpack FOLDER: below the site, under that name; its settings outside.
web_unpack()
{
	local into=$dir/web/site$1 name
	mkdir -p "$(dirname "$into")" "$dir/web/run"
	tar -xzf "$(web_archive)" -C "$(dirname "$into")"
	name=$(basename "$(web_archive)" .tar.gz)
	rm -rf "$into"
	mv "$(dirname "$into")/$name" "$into"
	sed -i "s|/home/YOU/dcm/controller.conf|$dir/web/controller.conf|" \
	    "$into/.htaccess"
	echo "the site" >"$dir/web/site/index.html"
}

# The settings that the test gave, as the file of DCM_CONFIG.
web_settings()
{
	sed "s/=\(.*\)/='\1'/" "$dir/controller.env" >"$dir/web/settings"
	mv "$dir/web/settings" "$dir/web/controller.conf"
	chmod 600 "$dir/web/controller.conf"
	mkdir -p "$dir/state"
	web_open "$dir/web" "$dir/state"
}

# apache_modules NAME...: a LoadModule for each that is not built in.
apache_modules()
{
	local name
	for name; do
		[ ! -e "/usr/lib/apache2/modules/mod_$name.so" ] ||
		    echo "LoadModule ${name}_module" \
			"/usr/lib/apache2/modules/mod_$name.so"
	done
}

# What Debian's configuration says, and what a host adds for its users. A
# page of its own for 401, and compression of everything, would show.
apache_conf()
{
	local run=$dir/web/run site=$dir/web/site
	cat <<-CONF
	ServerRoot "$run"
	DefaultRuntimeDir "$run"
	PidFile "$run/apache.pid"
	ServerName localhost
	Listen 127.0.0.1:$1
	ErrorLog "$dir/controller.log"
	LogLevel warn
	$(apache_modules mpm_event authz_core authz_host alias mime env dir \
	    setenvif rewrite filter deflate headers negotiation autoindex "$2")
	<IfModule mod_cgid.c>
		ScriptSock "$run/cgid"
	</IfModule>
	<IfModule mod_fcgid.c>
		FcgidIPCDir "$run"
		FcgidProcessTableFile "$run/shared"
	</IfModule>
	TypesConfig /etc/mime.types
	DocumentRoot "$site"
	<Directory />
		Options FollowSymLinks
		AllowOverride None
		Require all denied
	</Directory>
	<Directory "$site">
		Options Indexes FollowSymLinks MultiViews
		AllowOverride ${APACHE_OVERRIDE:-FileInfo Options}
		Require all granted
	</Directory>
	<FilesMatch "^\.ht">
		Require all denied
	</FilesMatch>
	ErrorDocument 401 "a page of the site"
	ErrorDocument 404 "a page of the site"
	AddOutputFilterByType DEFLATE text/html application/json text/plain
	CONF
	[ "$(id -u)" != 0 ] || printf '%s\n' 'User www-data' 'Group www-data'
}

# apache_start MODULE FOLDER: with the program below FOLDER of the site.
apache_start()
{
	local port
	port_kept controller
	port=$(cat "$dir/controller.port")
	prefix=$2
	base=http://127.0.0.1:$port$prefix
	[ -d "$dir/web/site$prefix" ] || web_unpack "$prefix"
	web_settings
	apache_conf "$port" "$1" >"$dir/web/apache.conf"
	[ -e /etc/mime.types ] ||
	    sed -i '/^TypesConfig/d' "$dir/web/apache.conf"
	program_start controller env -i PATH="$PATH" \
	    apache2 -DFOREGROUND -f "$dir/web/apache.conf"
	wait_until controller_answers && program_runs controller
}

controller_cgid()
{
	apache_start cgid /some/where
}

controller_fcgid()
{
	apache_start fcgid /some/where
}

# web_user COMMAND...: as the user who serves.
web_user()
{
	if [ "$(id -u)" = 0 ]; then
		set -- setpriv --reuid www-data --regid www-data \
		    --clear-groups "$@"
	fi
	program_start fcgiwrap "$@"
}

# The block of the archive's nginx.conf, as it stands, but for its paths.
nginx_conf()
{
	local run=$dir/web/run
	cat <<-CONF
	daemon off;
	pid "$run/nginx.pid";
	error_log "$dir/controller.log" warn;
	$([ "$(id -u)" != 0 ] || echo "user www-data;")
	events { }
	http {
		access_log off;
		client_body_temp_path "$run/body";
		fastcgi_temp_path "$run/fastcgi";
		proxy_temp_path "$run/proxy";
		scgi_temp_path "$run/scgi";
		uwsgi_temp_path "$run/uwsgi";
		server {
			listen 127.0.0.1:$1;
			root "$dir/web/site";
			$(sed -e "s|/home/YOU/dcm-cgi|$dir/web/cgi|" \
			    -e "s|/home/YOU/dcm|$dir/web|" \
			    -e "s|/run/fcgiwrap.socket|$run/fcgiwrap|" \
			    "$dir/web/cgi/nginx.conf")
		}
	}
	CONF
}

controller_fcgiwrap()
{
	local port
	port_kept controller
	port=$(cat "$dir/controller.port")
	prefix=/dcm
	base=http://127.0.0.1:$port$prefix
	[ -d "$dir/web/cgi" ] || { web_unpack /x && web_outside; }
	web_settings
	nginx_conf "$port" >"$dir/web/nginx.conf"
	rm -f "$dir/web/run/fcgiwrap"
	# one: those it would fork stay behind when it ends
	web_user env -i PATH="$PATH" \
	    fcgiwrap -c 1 -s "unix:$dir/web/run/fcgiwrap"
	wait_until [ -S "$dir/web/run/fcgiwrap" ]
	program_start controller env -i PATH="$PATH" \
	    nginx -c "$dir/web/nginx.conf"
	wait_until controller_answers && program_runs controller
}

# nginx runs the program by its path: nothing of it need be in the site.
web_outside()
{
	mv "$dir/web/site/x" "$dir/web/cgi"
}
