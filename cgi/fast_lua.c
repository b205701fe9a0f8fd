/*
 * The fast path (fast.c) as a module for the Lua of lighttpd's mod_magnet:
 * the fields of a request go in, a status and the fields of the answer come
 * out. lighttpd/fast.lua loads it.
 *
 * A defect costs speed, not answers: whatever Lua raises is caught here, is
 * said in lighttpd's log once in a while, and the request goes on to the
 * responders. Nothing in fast.c is called that Lua could leave by an error.
 */
#include <lauxlib.h>
#include <lua.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fast.h"

#define FAST_MOUNT "dcm.fast"

/* The upvalues of fast_lua_answer; what is lighttpd's is looked up once for
 * each lighty.r there is: a script that was replaced has another one. */
enum {
	FAST_LUA_R = 1,		/* lighty.r, and what it has: */
	FAST_LUA_REQ_HEADER,
	FAST_LUA_REQ_PAIRS,	/* __pairs of req_header */
	FAST_LUA_REQ_ATTR,
	FAST_LUA_REQ_ENV,
	FAST_LUA_RESP_HEADER,
	FAST_LUA_MOUNTS,	/* by their state: several share the script */
	FAST_LUA_ONLY,		/* DCM_ONLY_STATE, the state of all polls */
	FAST_LUA_STATE,		/* of the last one, */
	FAST_LUA_MOUNT,		/* and it */
	/* What each poll says to lighttpd, as strings of Lua's: */
	FAST_LUA_DCM_STATE,
	FAST_LUA_METHOD,
	FAST_LUA_TARGET,
	FAST_LUA_ID,
	FAST_LUA_ETAG,
	FAST_LUA_INTERVAL,
	FAST_LUA_CACHE,
	FAST_LUA_CACHED,
	FAST_LUA_VALUES = FAST_LUA_CACHED,
};

static const char *const fast_lua_words[FAST_LUA_VALUES + 1] = {
	[FAST_LUA_DCM_STATE] = "DCM_STATE",
	[FAST_LUA_METHOD] = "request.method",
	[FAST_LUA_TARGET] = "request.orig-uri",
	[FAST_LUA_ID] = "X-Request-ID",
	[FAST_LUA_ETAG] = "ETag",
	[FAST_LUA_INTERVAL] = "X-Poll-Interval-Seconds",
	[FAST_LUA_CACHE] = "Cache-Control",
	[FAST_LUA_CACHED] = "private, no-cache",
};

enum { FAST_LUA_QUIET_MS = 10000 };	/* between two complaints */

/* A userdata whose value is the body as a string of Lua's. */
struct fast_lua_mount {
	bool open;
	struct fast fast;
	char pushed[ETAG_SIZE];		/* the tag of that string */
};

_Static_assert(_Alignof(struct fast_lua_mount) <= _Alignof(lua_Integer),
    "Lua's memory is aligned for its own types only");

static int
fast_lua_value(int index)
{
	return lua_upvalueindex(index);
}

/* What a table of lighttpd's has under a word, onto the stack: its type. */
static int
fast_lua_get(lua_State *L, int table, int word)
{
	lua_pushvalue(L, fast_lua_value(word));
	return lua_gettable(L, fast_lua_value(table));
}

/* --- the mounts --------------------------------------------------------- */

static int
fast_lua_collect(lua_State *L)
{
	struct fast_lua_mount *m = luaL_checkudata(L, 1, FAST_MOUNT);

	if (m->open)
		fast_close(&m->fast);
	m->open = false;
	return 0;
}

/* That of the state on top of the stack, which is taken off. */
static struct fast *
fast_lua_find(lua_State *L)
{
	struct fast_lua_mount *m;

	lua_pushvalue(L, -1);
	if (lua_rawget(L, fast_lua_value(FAST_LUA_MOUNTS)) == LUA_TNIL) {
		lua_pop(L, 1);
		m = lua_newuserdatauv(L, sizeof(*m), 1);
		memset(m, 0, sizeof(*m));
		luaL_setmetatable(L, FAST_MOUNT);
		m->open = fast_open(&m->fast, lua_tostring(L, -2));
		if (!m->open)
			luaL_error(L, "out of memory");
		lua_pushvalue(L, -2);
		lua_pushvalue(L, -2);
		lua_rawset(L, fast_lua_value(FAST_LUA_MOUNTS));
	}
	lua_replace(L, fast_lua_value(FAST_LUA_MOUNT));
	lua_replace(L, fast_lua_value(FAST_LUA_STATE));
	m = lua_touserdata(L, fast_lua_value(FAST_LUA_MOUNT));
	return &m->fast;
}

/* The mount of this request. */
static struct fast *
fast_lua_mount(lua_State *L)
{
	struct fast_lua_mount *m;

	lua_pushvalue(L, fast_lua_value(FAST_LUA_ONLY));
	if (lua_isnil(L, -1) && fast_lua_get(L, FAST_LUA_REQ_ENV,
	    FAST_LUA_DCM_STATE) != LUA_TSTRING)
		luaL_error(L, "DCM_STATE is not set (fast.conf)");
	if (!lua_rawequal(L, -1, fast_lua_value(FAST_LUA_STATE)))
		return fast_lua_find(L);
	lua_pop(L, 1);
	m = lua_touserdata(L, fast_lua_value(FAST_LUA_MOUNT));
	return &m->fast;
}

/* --- the request -------------------------------------------------------- */

/* A string that ends where its length says, or NULL. It stays on the stack
 * as long as it is needed. */
static const char *
fast_lua_text(lua_State *L, int index)
{
	size_t len;
	const char *text = lua_tolstring(L, index, &len);

	return text != NULL && strlen(text) == len ? text : NULL;
}

/* Takes what a field says, its value being on top of its name. False: the
 * request is not a plain one. */
static bool
fast_lua_field(lua_State *L, struct fast_poll *poll, const char *name,
    size_t len)
{
	enum fast_field field = fast_field(name, len);

	if (field == FAST_NOTHING) {
		lua_pop(L, 2);
		return true;
	}
	if (field == FAST_OTHER || poll->fields[field] != NULL)
		return false;
	poll->fields[field] = fast_lua_text(L, -1);
	return poll->fields[field] != NULL;
}

/* Reads all fields; those that are wanted stay on the stack. lighttpd's
 * iterator counts for itself and asks for no arguments. */
static bool
fast_lua_fields(lua_State *L, struct fast_poll *poll)
{
	const char *name;
	int next, count;
	size_t len;

	lua_pushvalue(L, fast_lua_value(FAST_LUA_REQ_PAIRS));
	lua_pushvalue(L, fast_lua_value(FAST_LUA_REQ_HEADER));
	lua_call(L, 1, 1);
	next = lua_gettop(L);
	for (count = 0; count <= FAST_COUNT_MAX; count++) {
		lua_pushvalue(L, next);
		lua_call(L, 0, 2);
		name = lua_tolstring(L, -2, &len);
		if (name == NULL)
			return lua_isnil(L, -2);
		if (!fast_lua_field(L, poll, name, len))
			return false;
	}
	return false;
}

static const char *
fast_lua_attr(lua_State *L, int word)
{
	fast_lua_get(L, FAST_LUA_REQ_ATTR, word);
	return fast_lua_text(L, -1);
}

/* What lighttpd made of the target. */
static const char *
fast_lua_path(lua_State *L)
{
	lua_getfield(L, fast_lua_value(FAST_LUA_REQ_ATTR), "uri.path");
	return fast_lua_text(L, -1);
}

/* --- the answer --------------------------------------------------------- */

static void
fast_lua_set(lua_State *L, const char *name, const char *value)
{
	lua_pushstring(L, value);
	lua_setfield(L, fast_lua_value(FAST_LUA_RESP_HEADER), name);
}

/* The fields of each answer. */
static void
fast_lua_fields_set(lua_State *L, const struct fast_reply *reply)
{
	int header = fast_lua_value(FAST_LUA_RESP_HEADER);

	lua_pushvalue(L, fast_lua_value(FAST_LUA_ID));
	lua_pushlstring(L, reply->id, strlen(reply->id));
	lua_settable(L, header);
	lua_pushvalue(L, fast_lua_value(FAST_LUA_ETAG));
	lua_pushstring(L, reply->etag);
	lua_settable(L, header);
	lua_pushvalue(L, fast_lua_value(FAST_LUA_INTERVAL));
	lua_pushstring(L, reply->interval);
	lua_settable(L, header);
	lua_pushvalue(L, fast_lua_value(FAST_LUA_CACHE));
	lua_pushvalue(L, fast_lua_value(FAST_LUA_CACHED));
	lua_settable(L, header);
}

/* The body as a string of Lua's that is made once a version. */
static void
fast_lua_body(lua_State *L, const struct fast_reply *reply)
{
	struct fast_lua_mount *m =
	    lua_touserdata(L, fast_lua_value(FAST_LUA_MOUNT));

	if (strcmp(m->pushed, reply->etag) != 0) {
		m->pushed[0] = '\0';
		lua_pushlstring(L, buf_text(reply->body), reply->body->len);
		lua_setiuservalue(L, fast_lua_value(FAST_LUA_MOUNT), 1);
		memcpy(m->pushed, reply->etag, sizeof(m->pushed));
	}
	fast_lua_set(L, "Content-Type", "application/json");
	fast_lua_set(L, "Accept-Ranges", "none");
	fast_lua_set(L, "X-Content-Type-Options", "nosniff");
	lua_getfield(L, fast_lua_value(FAST_LUA_R), "resp_body");
	lua_getfield(L, -1, "set");
	lua_getiuservalue(L, fast_lua_value(FAST_LUA_MOUNT), 1);
	lua_call(L, 1, 0);
}

/* What lighty.r, the argument, has. */
static void
fast_lua_bind(lua_State *L)
{
	static const struct { int index; const char *name; } rows[] = {
		{ FAST_LUA_REQ_HEADER, "req_header" },
		{ FAST_LUA_REQ_ATTR, "req_attr" },
		{ FAST_LUA_REQ_ENV, "req_env" },
		{ FAST_LUA_RESP_HEADER, "resp_header" },
	};

	luaL_checktype(L, 1, LUA_TTABLE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		lua_getfield(L, 1, rows[i].name);
		lua_replace(L, fast_lua_value(rows[i].index));
	}
	if (luaL_getmetafield(L, fast_lua_value(FAST_LUA_REQ_HEADER),
	    "__pairs") == LUA_TNIL)
		luaL_error(L, "lighttpd is older than 1.4.60");
	lua_replace(L, fast_lua_value(FAST_LUA_REQ_PAIRS));
	lua_pushvalue(L, 1);
	lua_replace(L, fast_lua_value(FAST_LUA_R));	/* all of it is */
}

/* answer(lighty.r): the status, or nothing. */
static int
fast_lua_answer(lua_State *L)
{
	struct fast_poll poll = { .method = NULL };
	struct fast_reply reply;
	struct fast *fast;
	int status;

	luaL_checkstack(L, 2 * FAST_FIELDS + 16, NULL);
	if (!lua_rawequal(L, 1, fast_lua_value(FAST_LUA_R)))
		fast_lua_bind(L);
	if (!fast_lua_fields(L, &poll))
		return 0;
	fast = fast_lua_mount(L);
	poll.method = fast_lua_attr(L, FAST_LUA_METHOD);
	poll.target = fast_lua_attr(L, FAST_LUA_TARGET);
	if (poll.target == NULL || strcmp(poll.target, fast->target) != 0)
		poll.path = fast_lua_path(L);
	status = fast_answer(fast, &poll, &reply);
	if (status == 0)
		return 0;
	fast_lua_fields_set(L, &reply);
	if (reply.body != NULL)
		fast_lua_body(L, &reply);
	lua_pushinteger(L, status);
	return 1;
}

/* --- the module --------------------------------------------------------- */

/* Says what is on top of the stack, by lighttpd's print. */
static int
fast_lua_say(lua_State *L)
{
	const char *what = luaL_tolstring(L, 1, NULL);	/* it stays below */

	lua_getglobal(L, "print");
	lua_pushfstring(L, "fast.lua: %s", what);
	lua_call(L, 1, 0);
	return 0;
}

/* What Lua is given: fast_lua_answer, whose errors are caught. */
static int
fast_lua_call(lua_State *L)
{
	static long long said;
	long long now;

	lua_settop(L, 1);
	lua_pushvalue(L, fast_lua_value(1));
	lua_pushvalue(L, 1);
	if (lua_pcall(L, 1, 1, 0) == LUA_OK)
		return 1;
	now = clock_steady();
	if (said == 0 || now - said >= FAST_LUA_QUIET_MS) {
		said = now;
		lua_pushcfunction(L, fast_lua_say);
		lua_insert(L, -2);
		lua_pcall(L, 1, 0, 0);
	}
	return 0;
}

/* A heartbeat's file that may not grow (RLIMIT_FSIZE) is an error, no end:
 * nobody can know before how long it is. */
static void
fast_lua_survive(void)
{
	struct sigaction now;

	if (sigaction(SIGXFSZ, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
		signal(SIGXFSZ, SIG_IGN);
}

int fast_lua_open(lua_State *) __attribute__((visibility("default")));

int
fast_lua_open(lua_State *L)
{
	luaL_checkversion(L);
	if (!token_works())	/* what ends a process without them is here */
		return luaL_error(L, "the kernel gives no random bytes");
	fast_lua_survive();
	luaL_newmetatable(L, FAST_MOUNT);
	lua_pushcfunction(L, fast_lua_collect);
	lua_setfield(L, -2, "__gc");
	lua_settop(L, 0);
	luaL_checkstack(L, FAST_LUA_VALUES + 2, NULL);
	for (int i = 1; i <= FAST_LUA_VALUES; i++)
		if (i == FAST_LUA_MOUNTS)
			lua_newtable(L);
		else if (i == FAST_LUA_ONLY)
			lua_pushstring(L, getenv("DCM_ONLY_STATE"));
		else	/* nil, or a word */
			lua_pushstring(L, fast_lua_words[i]);
	lua_pushcclosure(L, fast_lua_answer, FAST_LUA_VALUES);
	lua_pushcclosure(L, fast_lua_call, 1);
	return 1;
}
