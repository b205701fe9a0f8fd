#include "httpd_stage.h"

#include "../../lib/httpd_send.c"

#include <sys/resource.h>

UNIT("at the limit the longest idle connection makes room")
{
	struct httpd_config config = httpd_defaults;
	struct client crowd[4];

	config.max_connections = 4;
	config.reserved = 1;
	t_open_with(&config);
	for (int i = 0; i < 4; i++) {
		client_open(&crowd[i]);
		client_say(&crowd[i], PLAIN);
		client_hear(&crowd[i], "hello");
	}
	CHECK_INT(httpd_connections(server), 4);
	t_ask(LAST);
	CHECK_INT(t_status(&client), 200);
	client_hear(&crowd[0], NULL);
	CHECK(crowd[0].eof);
	client_say(&crowd[1], PLAIN);
	for (int i = 0; i < 4; i++)
		client_close(&crowd[i]);
	t_sound();
}

UNIT("at the limit, with none idle, the oldest half request makes room")
{
	struct httpd_config config = httpd_defaults;
	struct client crowd[5];

	config.max_connections = 3;
	config.reserved = 1;
	t_open_with(&config);
	t_hold(&crowd[0], "1.1");
	for (int i = 1; i < 5; i++) {
		client_open(&crowd[i]);
		client_say(&crowd[i], i == 2 ? "POST /echo HTTP/1.1\r\n"
		    "Host: x\r\nContent-Length: 5\r\n\r\nha" : "GET /pl");
		t_settle();
		if (i > 2)
			client_hear(&crowd[i - 2], NULL);
	}
	CHECK_INT(httpd_connections(server), 3);
	t_ask(LAST);
	CHECK_INT(t_status(&client), 200);
	client_hear(&crowd[3], NULL);
	CHECK(crowd[3].eof);
	client_say(&crowd[4], "ain HTTP/1.1\r\nHost: x\r\n\r\n");
	client_hear(&crowd[4], "hello");
	t_reply("late");
	client_hear(&crowd[0], "late");
	for (int i = 0; i < 5; i++)
		client_close(&crowd[i]);
	t_sound();
}

UNIT("at the limit, with none idle, callers wait and are served in turn")
{
	struct httpd_config config = httpd_defaults;
	struct client crowd[2];
	uint64_t turns;

	config.max_connections = 2;
	config.reserved = 0;
	t_open_with(&config);
	t_hold(&crowd[0], "1.1");
	struct httpd_request *first = seen.later;
	t_hold(&crowd[1], "1.1");
	client_open(&client);
	client_say(&client, LAST);
	t_settle();
	turns = loop_turns(t_loop);
	struct loop_timer timer = { .fire = t_enough };
	loop_timer_start(t_loop, &timer, 50);
	loop_run(t_loop);
	CHECK_INT(loop_turns(t_loop) - turns, 1);	/* it does not spin */
	CHECK_INT(seen.ran, 2);
	t_reply("late");
	client_hear(&client, NULL);
	CHECK_INT(t_status(&client), 200);
	seen.later = first;
	t_reply("late");
	client_hear(&crowd[0], "late");
	client_close(&crowd[0]);
	client_close(&crowd[1]);
	t_sound();
}

UNIT("without descriptors accepting pauses, does not spin, and comes back")
{
	struct rlimit limit, none;
	uint64_t turns;

	t_open();
	t_hold(&client, "1.1");
	struct client other;
	client_open(&other);
	client_say(&other, LAST);
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	none = limit;
	none.rlim_cur = (rlim_t)other.fd;
	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	t_settle();
	turns = loop_turns(t_loop);
	struct loop_timer timer = { .fire = t_enough };
	loop_timer_start(t_loop, &timer, 50);
	loop_run(t_loop);
	turns = loop_turns(t_loop) - turns;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK_INT(turns, 1);
	CHECK_INT(httpd_connections(server), 1);
	client_hear(&other, NULL);
	CHECK_INT(t_status(&other), 200);
	client_close(&other);
	t_reply("late");
	client_hear(&client, "late");
	t_sound();
}

static void
t_idle(void *arg)
{
	*(bool *)arg = true;
	loop_stop(t_loop);
}

UNIT("draining closes what is idle and finishes what runs")
{
	struct client idle;
	bool done = false;

	t_open();
	client_open(&idle);
	client_say(&idle, PLAIN);
	client_hear(&idle, "hello");
	t_hold(&client, "1.1");
	httpd_drain(server, t_idle, &done);
	client_hear(&idle, NULL);
	CHECK(!done);
	t_reply("late");
	client_hear(&client, NULL);
	CHECK(client_has(&client, "Connection: close\r\n"));
	client_close(&client);
	client_close(&idle);
	while (!done)
		t_run("the end of draining");
	CHECK_INT(httpd_connections(server), 0);
	done = false;
	httpd_drain(server, t_idle, &done);
	CHECK(done);
}

UNIT("closing tells those who answer later")
{
	t_open();
	t_hold(&client, "1.1");
	httpd_close(server);
	server = NULL;
	CHECK_INT(seen.gone, 1);
	client_close(&client);
}

UNIT("an address in use is said, with the address")
{
	struct buf error = BUF_INIT(500);
	struct httpd_config config = httpd_defaults;
	char want[100];

	t_open();
	config.port = httpd_port(server);
	CHECK(httpd_open(t_loop, &config, &t_table, &error) == NULL);
	snprintf(want, sizeof(want), "cannot listen on 127.0.0.1 port %ld: "
	    "Address already in use", config.port);
	CHECK_TEXT(buf_text(&error), want);
	buf_free(&error);
	config.bind = "no address";
	CHECK(httpd_open(t_loop, &config, &t_table, &error) == NULL);
	CHECK(strstr(buf_text(&error), "no address") != NULL);
	buf_free(&error);
	httpd_close(server);
	loop_close(t_loop);
}

UNIT_MAIN
