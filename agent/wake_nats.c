/*
 * Core NATS: a plain subscription, for a queue group would give a change to
 * one agent only. The PONG to the PING behind SUB says that it counts.
 */
#include "wake_link.h"

static bool
wake_nats_greet(struct wake_link *l)
{
	nats_start(&l->nats);
	return true;
}

/* The first INFO is the greeting; later ones are news. */
static void
wake_nats_informed(struct wake_link *l)
{
	struct nats_info info;

	if (!nats_info(nats_rest(&l->nats), &info)) {
		wake_link_failed(l, "that is no NATS");
	} else if (info.tls_required) {
		wake_link_failed(l, "it wants TLS, which is not known here");
	} else if (!l->greeted) {
		l->greeted = true;
		nats_put_connect(&l->out, &l->servers.at[l->at], "dcm-agent");
		nats_put_sub(&l->out, "config.worker.update", 1);
		nats_put_ping(&l->out);
	}
}

static void
wake_nats_ponged(struct wake_link *l)
{
	if (!l->greeted)
		return;
	if (l->up)
		wake_link_pong(l);
	else
		wake_link_up(l);
}

static void
wake_nats_hear(struct wake_link *l, const char *at, size_t left)
{
	enum nats_kind kind;

	while ((kind = nats_read(&l->nats, &at, &left)) != NATS_MORE) {
		if (kind == NATS_WRONG) {
			wake_link_failed(l, "that is no NATS");
			return;
		}
		if (kind == NATS_INFO)
			wake_nats_informed(l);
		else if (kind == NATS_MSG)
			wake_link_message(l);
		else if (kind == NATS_PING)
			nats_put_pong(&l->out);
		else if (kind == NATS_PONG)
			wake_nats_ponged(l);
		else if (kind == NATS_ERR)
			wake_link_failed(l, nats_rest(&l->nats));
	}
}

static void
wake_nats_ping(struct wake_link *l)
{
	nats_put_ping(&l->out);
}

static void
wake_nats_close(struct wake_link *l)
{
	nats_stop(&l->nats);
}

const struct wake_engine wake_nats = {
	.strategy = "NATS",
	.setting = "NATS_URL",
	.read = broker_list_nats,
	.greet = wake_nats_greet,
	.hear = wake_nats_hear,
	.ping = wake_nats_ping,
	.close = wake_nats_close,
};
