/*
 * CGI variables: header fields, names that fold, settings; and where a
 * mount ends.
 */
#include "unit.h"

#include "../../cgi/gateway_variable.c"
#include "../../cgi/gateway_mount.c"

static struct gateway_request g;
static struct controller c;

#define VARIABLES(...) \
	((char *const[]) { __VA_ARGS__, NULL })

static void
given(char *const *variables)
{
	memset(&g.route, 0, sizeof(g.route));
	buf_free(&g.prefix);
	buf_free(&g.path);
	buf_init(&g.prefix, 4096);
	buf_init(&g.path, 65536);
	gateway_variables(&g, variables);
}

#define V(text) (char[]) { text }

UNIT("a header field is found by its name, in any case")
{
	given(VARIABLES(V("HTTP_X_API_KEY=k=1"), V("REMOTE_ADDR=::1"),
	    V("HTTP_ACCEPT="), V("HTTP_X_API=x"), V("HTTP_Z=z")));
	CHECK(!g.folded);
	CHECK_TEXT(gateway_header(&g.route, "X-API-Key"), "k=1");
	CHECK_TEXT(gateway_header(&g.route, "x-api-key"), "k=1");
	CHECK_TEXT(gateway_header(&g.route, "Accept"), "");
	CHECK_TEXT(gateway_header(&g.route, "X-API"), "x");
	CHECK(gateway_header(&g.route, "X-API-Keys") == NULL);
	CHECK(gateway_header(&g.route, "X") == NULL);
	CHECK_TEXT(gateway_variable(&g, "REMOTE_ADDR"), "::1");
	CHECK(gateway_variable(&g, "REMOTE") == NULL);
}

UNIT("two fields of one name are noted, wherever they stand")
{
	given(VARIABLES(V("HTTP_X_API_KEY=a"), V("HTTP_B=b"),
	    V("HTTP_X_API_KEY=c")));
	CHECK(g.folded);
	given(VARIABLES(V("HTTP_X_API_KEY=a"), V("HTTP_X_API_KEY_2=a"),
	    V("X_API_KEY=c"), V("SERVER_NAME=a"), V("SERVER_NAME=a")));
	CHECK(!g.folded);
}

UNIT("too many fields to look at are refused like folded ones")
{
	static char text[GATEWAY_FIELDS_MAX + 1][24];
	static char *many[GATEWAY_FIELDS_MAX + 2];

	for (int i = 0; i <= GATEWAY_FIELDS_MAX; i++) {
		snprintf(text[i], sizeof(text[i]), "HTTP_X%d=x", i);
		many[i] = text[i];
	}
	given(many);
	CHECK(g.folded);
	many[GATEWAY_FIELDS_MAX] = NULL;
	given(many);
	CHECK(!g.folded);
	CHECK_TEXT(gateway_header(&g.route, "X199"), "x");
}

UNIT("Authorization is also taken as Apache hands it on")
{
	given(VARIABLES(V("REDIRECT_HTTP_AUTHORIZATION=Basic x")));
	CHECK_TEXT(gateway_header(&g.route, "Authorization"), "Basic x");
	given(VARIABLES(V("REDIRECT_HTTP_AUTHORIZATION=Basic x"),
	    V("HTTP_AUTHORIZATION=Basic y")));
	CHECK_TEXT(gateway_header(&g.route, "Authorization"), "Basic y");
}

UNIT("a setting is never taken from a header field")
{
	given(VARIABLES(V("HTTP_DB_PATH=/x"), V("DB_PATH=/y"),
	    V("API_KEY_FILE=/z"), V("NOTHING=1"), V("DB_PATHS=1")));
	CHECK(gateway_setting(&g, "HTTP_DB_PATH") == NULL);
	CHECK_TEXT(gateway_setting(&g, "DB_PATH"), "/y");
	CHECK(controller_names("DB_PATH"));
	CHECK(controller_names("CONTROLLER_DB_PATH"));
	CHECK(controller_names("ADMIN_PASSWORD_FILE"));
	CHECK(!controller_names("DB_PATH_FILE"));
	CHECK(!controller_names("DB_PATHS"));
}

UNIT("what a held request is answered from again is kept, the rest is not")
{
	char *const *sent = VARIABLES(V("REQUEST_METHOD=GET"),
	    V("HTTP_USER_AGENT=much"), V("HTTP_X_API_KEY=key"),
	    V("HTTP_ACCEPT=*/*"), V("HTTP_IF_NONE_MATCH=\"1-a\""),
	    V("SERVER_SOFTWARE=lighttpd"), V("STATE_DIR=/x"),
	    V("QUERY_STRING=wait=60"), V("HTTP_AUTHORIZATION=Bearer t"),
	    V("REMOTE_ADDR=::1"), V("REMOTE_PORT=1"), V("PATH=/bin"));
	char **kept = gateway_keep(sent);

	CHECK(kept != NULL);
	given(kept);
	CHECK_TEXT(gateway_header(&g.route, "X-API-Key"), "key");
	CHECK_TEXT(gateway_header(&g.route, "If-None-Match"), "\"1-a\"");
	CHECK_TEXT(gateway_header(&g.route, "Authorization"), "Bearer t");
	CHECK_TEXT(gateway_variable(&g, "REQUEST_METHOD"), "GET");
	CHECK_TEXT(gateway_variable(&g, "QUERY_STRING"), "wait=60");
	CHECK_TEXT(gateway_variable(&g, "REMOTE_ADDR"), "::1");
	CHECK_TEXT(gateway_variable(&g, "STATE_DIR"), "/x");
	CHECK(gateway_header(&g.route, "User-Agent") == NULL);
	CHECK(gateway_variable(&g, "SERVER_SOFTWARE") == NULL);
	CHECK(gateway_variable(&g, "REMOTE_PORT") == NULL);
	CHECK(gateway_variable(&g, "PATH") == NULL);
	CHECK_INT(g.count, 3);
	gateway_forget(kept);
	gateway_forget(NULL);
	given(VARIABLES(V("REMOTE_ADDR=")));
}

UNIT("settings that are others than those loaded are told")
{
	struct controller with = { .store = (struct store *)(void *)&with };
	char *const *one = VARIABLES(V("DB_PATH=/x"), V("HTTP_X=1"));
	char *const *same = VARIABLES(V("HTTP_X=2"), V("DB_PATH=/x"));
	char *const *other = VARIABLES(V("DB_PATH=/y"));

	buf_init(&with.given, 100);
	CHECK(!gateway_settled(one, &with));
	CHECK(gateway_settled(VARIABLES(V("HTTP_X=1")), &with));
	buf_str(&with.given, "DB_PATH=/x\n");
	CHECK(gateway_settled(one, &with));
	CHECK(gateway_settled(same, &with));
	CHECK(!gateway_settled(other, &with));
	with.store = NULL;
	CHECK(!gateway_settled(one, &with));
	buf_free(&with.given);
}

static void
mounts(const char *prefix, const char *path)
{
	CHECK(gateway_mount(&g, &c));
	CHECK_TEXT(g.route.prefix, prefix);
	CHECK_TEXT(g.route.path, path);
}

UNIT("BASE_PATH says where the mount ends")
{
	given(VARIABLES(V("BASE_PATH=/dcm/"), V("SCRIPT_NAME=/dcm/config"),
	    V("PATH_INFO=/7"), V("REQUEST_URI=/dcm/config/7?x=1")));
	mounts("/dcm", "/config/7");
	given(VARIABLES(V("BASE_PATH=/"), V("REQUEST_URI=/config%2f7")));
	mounts("", "/config%2f7");
	given(VARIABLES(V("BASE_PATH=/dcm"), V("REQUEST_URI=/dcmx/config")));
	mounts("/dcm", "");
	given(VARIABLES(V("BASE_PATH=/dcm"), V("SCRIPT_NAME=/dcm"),
	    V("PATH_INFO=/config"), V("REQUEST_URI=/alias/config")));
	mounts("/dcm", "/config");
	given(VARIABLES(V("BASE_PATH=/dcm"),
	    V("REQUEST_URI=http://host:80/dcm/config?x")));
	mounts("/dcm", "/config");
}

UNIT("the setting BASE_PATH counts where the server says nothing")
{
	char base[] = "/set";

	c.settings.base_path = base;
	given(VARIABLES(V("REQUEST_URI=/set/config")));
	mounts("/set", "/config");
	given(VARIABLES(V("BASE_PATH=/said"),
	    V("REQUEST_URI=/said/config")));
	mounts("/said", "/config");
	c.settings.base_path = NULL;
}

UNIT("else SCRIPT_NAME does, without the responder's own name")
{
	given(VARIABLES(V("SCRIPT_NAME=/cgi-bin/config.fcgi"),
	    V("PATH_INFO=/config"),
	    V("REQUEST_URI=/cgi-bin/config.fcgi/config")));
	mounts("/cgi-bin/config.fcgi", "/config");
	given(VARIABLES(V("SCRIPT_NAME=/dcm/config.fcgi"),
	    V("PATH_INFO=/config"), V("REQUEST_URI=/dcm/config?x=1")));
	mounts("/dcm", "/config");
	given(VARIABLES(V("SCRIPT_NAME=/config.fcgi"),
	    V("PATH_INFO=/config"), V("REQUEST_URI=/config")));
	mounts("", "/config");
	given(VARIABLES(V("SCRIPT_NAME=/dcm/config.fcgi"),
	    V("PATH_INFO=/config"), V("REQUEST_URI=/elsewhere")));
	mounts("/dcm/config.fcgi", "/config");
	given(VARIABLES(V("SCRIPT_NAME="), V("PATH_INFO=/config")));
	mounts("", "/config");
	given(VARIABLES(V("REMOTE_ADDR=")));
	mounts("", "");
}

UNIT("what the server decoded is encoded again")
{
	given(VARIABLES(V("SCRIPT_NAME="), V("PATH_INFO=/a%41 \xc3\xa9?")));
	mounts("", "/a%2541%20%C3%A9%3F");
}

UNIT("/api/v1 is part of the prefix")
{
	given(VARIABLES(V("BASE_PATH=/dcm"),
	    V("REQUEST_URI=/dcm/api/v1/config")));
	mounts("/dcm/api/v1", "/config");
	given(VARIABLES(V("BASE_PATH=/"), V("REQUEST_URI=/api/v1")));
	mounts("", "/api/v1");
	given(VARIABLES(V("BASE_PATH=/"), V("REQUEST_URI=/api/v10/config")));
	mounts("", "/api/v10/config");
	given(VARIABLES(V("BASE_PATH=/"),
	    V("REQUEST_URI=/api/v1/api/v1/config")));
	mounts("/api/v1", "/api/v1/config");
}

UNIT_MAIN
