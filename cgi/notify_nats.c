/*
 * Core NATS: a message is sent to whoever listens now. The PONG to the PING
 * behind it says that the server has taken it. What is larger than the server
 * allows is not sent: half a configuration would be worse than none.
 */
#include "notify_talk.h"

#include <stdio.h>

#define NOTIFY_NATS_SUBJECT	"config.worker.update"

static bool
notify_nats_greet(struct notify_talk *t)
{
	nats_start(&t->nats);
	t->max_payload = 0;
	return true;
}

static void
notify_nats_tell(struct notify_talk *t, const struct buf *payload)
{
	char why[NOTIFY_TALK_WHY];

	if (t->max_payload > 0 && payload->len > (size_t)t->max_payload) {
		snprintf(why, sizeof(why), "%zu bytes are more than its "
		    "max_payload, %lld: agents find it by polling",
		    payload->len, t->max_payload);
		notify_talk_failed(t, why);
		return;
	}
	nats_put_pub(&t->out, NOTIFY_NATS_SUBJECT, payload->data,
	    payload->len);
	nats_put_ping(&t->out);
	t->told = true;
}

/* The first one is the greeting; later ones are news. */
static void
notify_nats_informed(struct notify_talk *t)
{
	struct nats_info info;

	if (!nats_info(nats_rest(&t->nats), &info)) {
		notify_talk_failed(t, "that is no NATS");
		return;
	}
	t->max_payload = info.max_payload;
	if (t->ready)
		return;
	if (info.tls_required)
		notify_talk_failed(t, "it wants TLS, which is not known here");
	nats_put_connect(&t->out, &t->servers.at[t->at], "dcm-controller");
	t->ready = true;
}

static void
notify_nats_hear(struct notify_talk *t, const char *at, size_t left)
{
	enum nats_kind kind;

	while ((kind = nats_read(&t->nats, &at, &left)) != NATS_MORE) {
		if (kind == NATS_WRONG) {
			notify_talk_failed(t, "that is no NATS");
			return;
		}
		if (kind == NATS_INFO)
			notify_nats_informed(t);
		else if (kind == NATS_PING)
			nats_put_pong(&t->out);
		else if (kind == NATS_PONG && t->told)
			t->done = true;
		else if (kind == NATS_ERR)
			notify_talk_failed(t, nats_rest(&t->nats));
	}
}

static void
notify_nats_close(struct notify_talk *t)
{
	nats_stop(&t->nats);
}

const struct notify_engine notify_nats = {
	.name = "nats",
	.setting = "NATS_URL",
	.read = broker_list_nats,
	.greet = notify_nats_greet,
	.tell = notify_nats_tell,
	.hear = notify_nats_hear,
	.close = notify_nats_close,
};
