#ifndef FAST_HERE_H
#define FAST_HERE_H
/*
 * The fast path beside a controller in a folder of its own, and what it
 * answers to a poll; for tests/unit/fast.c, behind the .c it tests.
 */
#include "controller_here.h"
#include "keep.h"

static const char one[] = "3f2b8c1e-5d4a-4f6b-9a7c-0e1d2c3b4a5f";
static const char two[] = "4f2b8c1e-5d4a-4f6b-9a7c-0e1d2c3b4a5f";

static struct fast fast;
static struct fast_reply reply;
static char bearer[PASS_SIZE + 8], etag[ETAG_SIZE];

/* One that is raised to its second generation; what was published is told. */
static void
begin(void)
{
	const struct store_version *v;

	controller_here(true);
	CHECK(fast_open(&fast, folder));
	CHECK_INT(pass_load(&c.key, c.key_path), 0);
	CHECK_INT(store_raise(c.store, two, 2, 1), STORE_DONE);
	front_publish(&c);
	CHECK_INT(controller_current(&c, &v), STORE_DONE);
	snprintf(etag, sizeof(etag), "%s", v->etag);
}

static void
end(void)
{
	fast_close(&fast);
	controller_gone();
}

static struct fast_poll
poll_of(enum fast_field field, const char *value)
{
	struct fast_poll p = {
		.method = "GET", .target = "/config", .path = "/config",
	};

	p.fields[field] = value;
	return p;
}

/* As if it were asked after the last look, and long after the last poll. */
static int
asks(const struct fast_poll *p)
{
	fast.front.looked = 0;
	fast.gather->wrote = 0;
	return fast_answer(&fast, p, &reply);
}

static int
asks_tag(const char *tags)
{
	struct fast_poll p = poll_of(FAST_KEY, "agent");

	p.fields[FAST_TAGS] = tags;
	return asks(&p);
}

static const char *
token_of(const char *id, long long generation)
{
	char token[PASS_SIZE];

	pass_make(&c.key, id, generation, token);
	snprintf(bearer, sizeof(bearer), "Bearer %s", token);
	return bearer;
}

static int
asks_token(const char *id, long long generation)
{
	struct fast_poll p = poll_of(FAST_AUTHORIZATION,
	    token_of(id, generation));

	return asks(&p);
}

/* The last line of the heartbeats, without its moment. */
static const char *
noted(void)
{
	static char text[4096];
	const struct beat *beat = &fast.gather->beat;
	struct buf all = BUF_INIT(1 << 20);
	char path[PATH_MAX];
	char *line;

	CHECK(beat_path(beat, path, sizeof(path), beat->slot));
	CHECK_INT(keep_read(path, &all), 0);
	CHECK(all.len > 0 && all.data[all.len - 1] == '\n');
	all.data[all.len - 1] = '\0';
	line = strrchr(all.data, '\n');
	line = strchr(line != NULL ? line : all.data, ' ');
	CHECK(line != NULL);
	snprintf(text, sizeof(text), "%s", line + 1);
	buf_free(&all);
	return text;
}

#endif
