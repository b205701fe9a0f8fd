#include "httpd_stage.h"

#include "../../lib/httpd_stream.c"

#include <linux/sockios.h>
#include <sys/ioctl.h>

UNIT("an answer may come later, even at once, and the connection goes on")
{
	t_open();
	t_hold(&client, "1.1");
	client_say(&client, PLAIN);
	t_settle();
	CHECK_INT(seen.ran, 1);		/* the second waits for the first */
	t_reply("late");
	client_hear(&client, "hello");
	CHECK(client_has(&client, "\r\n\r\nlateHTTP/1.1 200"));
	client_say(&client, "GET /at-once HTTP/1.1\r\nHost: x\r\n\r\n" LAST);
	client_hear(&client, NULL);
	CHECK_INT(seen.ran, 3);
	CHECK_INT(seen.gone, 0);
	t_sound();
}

UNIT("nothing ticks while an answer is waited for")
{
	uint64_t turns;

	t_open();
	t_hold(&client, "1.1");
	t_settle();
	turns = loop_turns(t_loop);
	struct loop_timer timer = { .fire = t_enough };
	loop_timer_start(t_loop, &timer, 100);
	loop_run(t_loop);
	CHECK_INT(loop_turns(t_loop) - turns, 1);
	t_reply("late");
	client_hear(&client, "late");
	turns = loop_turns(t_loop);
	loop_timer_start(t_loop, &timer, 100);
	loop_run(t_loop);
	CHECK_INT(loop_turns(t_loop) - turns, 1);
	t_sound();
}

UNIT("a client that is gone is noticed while its answer is waited for")
{
	t_open();
	t_hold(&client, "1.1");
	client_close(&client);
	while (seen.gone == 0)
		t_run("gone");
	CHECK_INT(seen.gone, 1);
	CHECK_INT(httpd_connections(server), 0);
	t_sound();
}

UNIT("a client that only sends no more is still answered later")
{
	t_open();
	t_hold(&client, "1.1");
	shutdown(client.fd, SHUT_WR);
	t_settle();
	CHECK_INT(seen.gone, 0);
	t_reply("late");
	client_hear(&client, NULL);
	CHECK(client_has(&client, "HTTP/1.1 200 OK"));
	CHECK(client_has(&client, "\r\n\r\nlate"));
	t_sound();
	t_hold(&client, "1.0");
	shutdown(client.fd, SHUT_WR);
	t_settle();
	t_reply("late");
	client_hear(&client, NULL);
	CHECK_INT(t_status(&client), 200);
	t_sound();
}

UNIT("a stream of unknown length is chunked, and ends with its last chunk")
{
	t_open();
	t_hold(&client, "1.1");
	httpd_stream_start(seen.later, 206, "Content-Type: a/b\r\n", -1);
	CHECK(httpd_stream_write(seen.later, "one", 3) > 0);
	client_hear(&client, "3\r\none\r\n");
	CHECK(client_has(&client, "HTTP/1.1 206 Partial Content\r\n"));
	CHECK(client_has(&client, "\r\nTransfer-Encoding: chunked\r\n"));
	httpd_stream_write(seen.later, "0123456789", 10);
	httpd_stream_write(seen.later, "", 0);
	httpd_stream_end(seen.later);
	client_hear(&client, "a\r\n0123456789\r\n0\r\n\r\n");
	client_say(&client, LAST);
	client_hear(&client, NULL);
	CHECK(client_has(&client, "hello"));
	t_sound();
}

UNIT("a stream of known length has exactly that")
{
	t_open();
	t_hold(&client, "1.1");
	httpd_stream_start(seen.later, 200, "", 5);
	httpd_stream_write(seen.later, "12345678", 8);
	httpd_stream_end(seen.later);
	client_say(&client, LAST);
	client_hear(&client, NULL);
	CHECK(client_has(&client, "Content-Length: 5\r\n"));
	CHECK(client_has(&client, "\r\n\r\n12345HTTP/1.1 200 OK"));
	t_sound();
	t_hold(&client, "1.1");
	httpd_stream_start(seen.later, 200, "", 5);
	httpd_stream_write(seen.later, "1234", 4);
	httpd_stream_end(seen.later);	/* too little: broken off */
	client_hear(&client, NULL);
	CHECK_INT(httpd_connections(server), 0);
	t_sound();
}

UNIT("what ends in a turn goes out at its end")
{
	char byte;

	t_open();
	t_hold(&client, "1.1");
	httpd_stream_start(seen.later, 200, "", 5);
	httpd_stream_write(seen.later, "12345", 5);
	httpd_stream_end(seen.later);
	CHECK_INT(recv(client.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT), -1);
	client_hear(&client, "\r\n\r\n12345");
	client_say(&client, LAST);
	client_hear(&client, NULL);
	CHECK(client_has(&client, "hello"));
	t_sound();
}

UNIT("a stream for HTTP/1.0 ends with the connection")
{
	t_open();
	t_hold(&client, "1.0");
	httpd_stream_start(seen.later, 200, "", -1);
	httpd_stream_write(seen.later, "until the end", 13);
	httpd_stream_end(seen.later);
	client_hear(&client, NULL);
	CHECK(!client_has(&client, "chunked"));
	CHECK(client_has(&client, "\r\n\r\nuntil the end"));
	t_sound();
}

UNIT("a stream that is broken off has no last chunk")
{
	t_open();
	t_hold(&client, "1.1");
	httpd_stream_start(seen.later, 200, "", -1);
	httpd_stream_write(seen.later, "part", 4);
	client_hear(&client, "part");
	httpd_stream_abort(seen.later);
	client_hear(&client, NULL);
	CHECK(!client_has(&client, "\r\n0\r\n"));
	CHECK_INT(seen.gone, 0);
	t_sound();
}

UNIT("a stream's client that is gone, or has only sent all, is told apart")
{
	t_open();
	t_hold(&client, "1.1");
	httpd_stream_start(seen.later, 200, "", -1);
	httpd_stream_write(seen.later, "part", 4);
	client_hear(&client, "part\r\n");
	shutdown(client.fd, SHUT_WR);
	client_hear(&client, "part\r\n0");	/* a zero goes before */
	CHECK_INT(seen.gone, 0);
	httpd_stream_write(seen.later, "more", 4);
	httpd_stream_end(seen.later);
	client_hear(&client, NULL);
	CHECK(client_has(&client, "04\r\nmore\r\n0\r\n\r\n"));
	t_sound();
	t_hold(&client, "1.1");
	httpd_stream_start(seen.later, 200, "", -1);
	httpd_stream_write(seen.later, "part", 4);
	client_hear(&client, "part\r\n");
	client_close(&client);
	while (seen.gone == 0)
		t_run("gone");
	t_sound();
}

UNIT("a reader that is slow makes the writer wait, not the memory grow")
{
	t_open();
	t_hold(&client, "1.1");
	seen.sends = true;
	seen.to_send = 12000000;
	httpd_stream_start(seen.later, 200, "", seen.to_send);
	t_on_drained(&seen);
	t_settle();
	CHECK(seen.to_send > 0);
	client.less = 12000000;
	client_hear(&client, "yyyy");
	CHECK(seen.drained > 1);
	CHECK(seen.most < 65536 + 8192 + 200);
	t_sound();
}

UNIT("a reader that takes nothing for too long is dropped")
{
	struct httpd_config config = httpd_defaults;

	config.write_ms = 50;
	t_open_with(&config);
	t_hold(&client, "1.1");
	seen.sends = true;
	seen.to_send = 100000000;
	httpd_stream_start(seen.later, 200, "", -1);
	t_on_drained(&seen);
	while (seen.gone == 0)
		t_run("gone");
	CHECK_INT(httpd_connections(server), 0);
	t_sound();
}

static size_t t_sip_size;

static void
t_sip(struct loop_timer *t)
{
	static char bytes[65536];

	(void)recv(client.fd, bytes, t_sip_size, MSG_DONTWAIT);
	loop_timer_start(t_loop, t, 10);
}

UNIT("a reader that only sips is dropped all the same")
{
	struct httpd_config config = httpd_defaults;
	struct loop_timer sips = { .fire = t_sip };

	config.write_ms = 200;
	config.write_least = 1 << 20;
	t_sip_size = 100;
	t_open_with(&config);
	t_hold(&client, "1.1");
	seen.sends = true;
	seen.to_send = 1000000000;
	httpd_stream_start(seen.later, 200, "", -1);
	t_on_drained(&seen);
	loop_timer_start(t_loop, &sips, 0);
	while (seen.gone == 0)
		t_run("gone");
	loop_timer_stop(t_loop, &sips);
	CHECK_INT(httpd_connections(server), 0);
	t_sound();
}

UNIT("a reader that takes enough in its time may be slow")
{
	struct httpd_config config = httpd_defaults;
	struct loop_timer sips = { .fire = t_sip };
	struct loop_timer enough = { .fire = t_enough };

	config.write_ms = 1500;	/* a busy machine may take some of it */
	config.write_least = 1000;
	t_sip_size = 65536;
	t_open_with(&config);
	t_hold(&client, "1.1");
	seen.sends = true;
	seen.to_send = 1000000000;
	httpd_stream_start(seen.later, 200, "", -1);
	t_on_drained(&seen);
	loop_timer_start(t_loop, &sips, 0);
	loop_timer_start(t_loop, &enough, 4000);
	t_run("four seconds");
	loop_timer_stop(t_loop, &sips);
	CHECK_INT(seen.gone, 0);
	client_close(&client);
	while (seen.gone == 0)
		t_run("gone");
	t_sound();
}

UNIT("a stream that fails at once is taken back, and answered otherwise")
{
	t_open();
	t_hold(&client, "1.1");
	httpd_stream_start(seen.later, 200, "X-Bad: 1\r\n", 100);
	httpd_stream_write(seen.later, "part", 4);
	CHECK(httpd_stream_retract(seen.later));
	t_reply("other");
	client_hear(&client, "other");
	CHECK(!client_has(&client, "X-Bad"));
	CHECK(client_has(&client, "\r\nContent-Length: 5\r\n"));
	client_say(&client, LAST);
	client_hear(&client, "hello");
	t_sound();
	t_hold(&client, "1.1");
	CHECK(!httpd_stream_retract(seen.later));
	httpd_stream_start(seen.later, 200, "", 100);
	client_hear(&client, "\r\n\r\n");	/* alone, after a while */
	CHECK(!httpd_stream_retract(seen.later));
	httpd_stream_abort(seen.later);
	client_hear(&client, NULL);
	t_sound();
}

UNIT("a long answer is sent whole")
{
	t_open();
	t_ask("GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	CHECK(client_has(&client, "Content-Length: 900000\r\n"));
	CHECK(client.got.len > 900000);
	t_sound();
}

UNIT("of a large body only a little waits in the kernel to be sent")
{
	static char piece[65536];
	size_t waiting = 0;
	int unsent, most = 0;

	t_open();
	t_hold(&client, "1.1");
	httpd_stream_start(seen.later, 200, "", -1);
	/* a reader who takes half of what could be had: the kernel makes more
	 * and more room for him */
	for (int i = 0; i < 2000; i++) {
		if (waiting < sizeof(piece))
			waiting = httpd_stream_write(seen.later, piece,
			    sizeof(piece));
		else
			waiting = httpd_stream_write(seen.later, piece, 1);
		if (i % 2 == 0)
			(void)recv(client.fd, piece, sizeof(piece),
			    MSG_DONTWAIT);
		CHECK(ioctl(seen.later->conn->watch.fd, SIOCOUTQNSD,
		    &unsent) == 0);
		most = unsent > most ? unsent : most;
	}
	CHECK(most > 0);
	CHECK(most <= HTTPD_UNSENT + 2 * (int)sizeof(piece));
	client_close(&client);
	while (seen.gone == 0)
		t_run("gone");
	t_sound();
}

UNIT_MAIN
