/*
 * Turns: how much of what was sent ahead is done before others are heard.
 */
#include "httpd_stage.h"

#include "../../lib/httpd.c"

enum { T_AHEAD = 20, T_EACH = 300 };

static struct client ahead[T_AHEAD];

/* Each client sends them all at once, and the last one closes. */
static void
t_send_ahead(void)
{
	struct buf all = BUF_INIT(1 << 20);

	for (int i = 1; i < T_EACH; i++)
		buf_str(&all, PLAIN);
	buf_str(&all, LAST);
	for (int i = 0; i < T_AHEAD; i++) {
		client_open(&ahead[i]);
		client_send(&ahead[i], all.data, all.len);
	}
	t_settle();
	buf_free(&all);
}

static size_t
t_answers(struct client *c)
{
	size_t n = 0;

	loop_watch_start(t_loop, &c->watch, c->fd, POLLIN);
	client_ready(&c->watch, POLLIN);
	loop_watch_stop(t_loop, &c->watch);
	for (const char *at = buf_text(&c->got);
	    (at = strstr(at, " 200 ")) != NULL; at++)
		n++;
	return n;
}

UNIT("whoever asks now waits for a bounded number of those sent ahead")
{
	int before;

	t_open();
	t_send_ahead();
	before = seen.ran;
	CHECK(before < T_AHEAD * T_EACH / 2);
	client_open(&client);
	client_say(&client, PLAIN);
	client_hear(&client, "hello");
	/* its own, and those of the turns in which it asked and was heard */
	CHECK(seen.ran - before <= 1 + 3 * HTTPD_TURN);
	for (int i = 0; i < T_AHEAD; i++)
		client_hear(&ahead[i], NULL);
	CHECK_INT(seen.ran, T_AHEAD * T_EACH + 1);
	for (int i = 0; i < T_AHEAD; i++)
		client_close(&ahead[i]);
	t_sound();
}

UNIT("those who have sent ahead are answered in turn")
{
	size_t least = T_EACH, most = 0;

	t_open();
	t_send_ahead();
	for (int i = 0; i < T_AHEAD; i++) {
		size_t n = t_answers(&ahead[i]);

		least = n < least ? n : least;
		most = n > most ? n : most;
	}
	CHECK(least > 0);
	CHECK(most <= least + 1);
	for (int i = 0; i < T_AHEAD; i++)
		client_close(&ahead[i]);
	t_sound();
}

UNIT("one that is alone goes on at once, and may go away in the middle")
{
	t_open();
	client_open(&ahead[0]);
	for (int i = 0; i < T_EACH; i++)
		client_say(&ahead[0], PLAIN);
	t_settle();
	CHECK(seen.ran >= 3 * HTTPD_TURN);
	CHECK(seen.ran < T_EACH);
	client_close(&ahead[0]);
	t_sound();
}

static void
t_drained(void *arg)
{
	(void)arg;
	httpd_close(server);
	server = NULL;
}

UNIT("a server that is drained, or closed, forgets who waits for a turn")
{
	int before;

	t_open();
	t_send_ahead();
	before = seen.ran;
	httpd_drain(server, t_drained, NULL);
	for (int i = 0; i < T_AHEAD; i++) {
		client_hear(&ahead[i], NULL);
		client_close(&ahead[i]);
	}
	t_settle();
	CHECK(server == NULL);
	CHECK_INT(seen.ran - before, T_AHEAD);
	t_open();
	t_send_ahead();
	httpd_close(server);
	server = NULL;
	for (int i = 0; i < T_AHEAD; i++)
		client_close(&ahead[i]);
	t_settle();
}

UNIT_MAIN
