/*
 * Credentials. All comparisons are made whether an earlier one failed or
 * not, and each takes a time that depends on lengths only.
 *
 * It logs no credential, and tells a caller nothing but that his is not good.
 */
#include "auth.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "controller.h"
#include "log.h"
#include "pass.h"

enum { AUTH_MAX = 1024 };	/* bytes of user:password */

/* How a credential was judged. */
enum auth_end {
	AUTH_NONE,	/* nothing was sent */
	AUTH_WRONG,
	AUTH_SOON,	/* not looked at: too many wrong ones from there */
	AUTH_GOOD,
	AUTH_FAULT,	/* the store did not say; the reply is made */
};

struct auth_caller *
auth_of(const struct route_request *req)
{
	return req->owner;
}

struct store_deed
auth_deed(const struct route_request *req, const char *action)
{
	return (struct store_deed){
		.action = action,
		.who = auth_of(req)->name,
		.address = req->remote,
		.request_id = req->id,
	};
}

static bool
auth_same(const char *set, const char *sent)
{
	return set != NULL && set[0] != '\0' && token_equal(set, sent);
}

static void
auth_name(struct route_request *req, const char *name)
{
	snprintf(auth_of(req)->name, sizeof(auth_of(req)->name), "%s", name);
}

/* Gives a role for a credential; both when the two are the same one. */
static enum auth_end
auth_roles(struct route_request *req, bool admin, bool agent,
    const char *admin_name, const char *agent_name)
{
	req->who = (admin ? ROUTE_ADMIN : 0u) | (agent ? ROUTE_AGENT : 0u);
	if (req->who == 0)
		return AUTH_WRONG;
	auth_name(req, admin ? admin_name : agent_name);
	return AUTH_GOOD;
}

static enum auth_end
auth_key(struct route_request *req, const char *sent)
{
	const struct controller_settings *s = &controller_of(req)->settings;

	return auth_roles(req, auth_same(s->admin_key, sent),
	    auth_same(s->agent_key, sent), "ADMIN_API_KEY", "AGENT_API_KEY");
}

/* What is known of a credential while it is judged. */
struct auth_sent {
	const char *kind;	/* "Basic" … */
	const char *name;	/* of a user there is, or NULL */
	long long wait_ms;	/* AUTH_SOON: for how long */
};

static enum auth_end
auth_basic(struct route_request *req, const char *encoded,
    struct auth_sent *sent)
{
	const struct controller_settings *s = &controller_of(req)->settings;
	enum auth_end end = AUTH_WRONG;
	char text[AUTH_MAX + 1];
	long len = token_unbase64(text, AUTH_MAX, encoded);
	char *colon = len > 0 ? strchr(text, ':') : NULL;

	/* a NUL inside would hide what follows it */
	if (colon != NULL && strlen(text) == (size_t)len) {
		bool name, password, admin, agent;

		*colon = '\0';
		name = auth_same(s->admin_username, text);
		password = auth_same(s->admin_password, colon + 1);
		sent->name = name ? s->admin_username : NULL;
		admin = name && password;
		name = auth_same(s->agent_username, text);
		password = auth_same(s->agent_password, colon + 1);
		if (name && sent->name == NULL)
			sent->name = s->agent_username;
		agent = name && password;
		end = auth_roles(req, admin, agent, s->admin_username,
		    s->agent_username);
	}
	explicit_bzero(text, sizeof(text));
	return end;
}

/*
 * A token counts while its generation is the agent's or a later one (the
 * database may be restored), and also when the agent is not known: then it
 * is written down again when it polls.
 */
static enum auth_end
auth_bearer(struct route_request *req, struct route_reply *reply,
    const char *text)
{
	struct controller *c = controller_of(req);
	long long generation, present;
	char id[TOKEN_UUID];
	enum store_end end;

	if (!controller_key(req, reply))
		return AUTH_FAULT;
	if (!pass_check(&c->key, text, id, &generation))
		return AUTH_WRONG;
	end = store_least(c->store, id, &present);
	if (end != STORE_DONE) {
		controller_fault(req, reply, end);
		return AUTH_FAULT;
	}
	auth_of(req)->looked = true;
	if (generation < present)
		return AUTH_WRONG;
	if (generation > present && store_raise(c->store, id, generation,
	    clock_wall()) != STORE_DONE)
		log_warn("auth", "%s", store_detail(c->store));
	memcpy(auth_of(req)->agent, id, sizeof(id));
	req->who = ROUTE_AGENT | ROUTE_TOKEN;
	snprintf(auth_of(req)->name, sizeof(auth_of(req)->name), "agent %s",
	    id);
	return AUTH_GOOD;
}

/* What follows a scheme, in any case, and at least one space; or NULL. */
static const char *
auth_scheme(const char *header, const char *scheme)
{
	size_t len = strlen(scheme);

	if (strncasecmp(header, scheme, len) != 0 || header[len] != ' ')
		return NULL;
	return header + len + strspn(header + len, " ");
}

static enum auth_end
auth_password(struct route_request *req, const char *encoded,
    struct auth_sent *sent)
{
	struct controller *c = controller_of(req);

	sent->wait_ms = refusal_wait(&c->refusal, req->remote,
	    clock_wall());
	return sent->wait_ms > 0 ? AUTH_SOON :
	    auth_basic(req, encoded, sent);
}

static enum auth_end
auth_judge(struct route_request *req, struct route_reply *reply,
    struct auth_sent *sent)
{
	const char *key = req->header(req, "X-API-Key");
	const char *header = req->header(req, "Authorization");
	const char *rest;

	*sent = (struct auth_sent){ .kind = "X-API-Key" };
	if (key != NULL)
		return auth_key(req, key);
	if (header == NULL || header[0] == '\0')
		return AUTH_NONE;
	sent->kind = "Basic";
	if ((rest = auth_scheme(header, "Basic")) != NULL)
		return auth_password(req, rest, sent);
	sent->kind = "Bearer";
	if ((rest = auth_scheme(header, "Bearer")) != NULL)
		return auth_bearer(req, reply, rest);
	sent->kind = "other";
	return AUTH_WRONG;
}

/* Counts it, for the throttle and the audit. */
static void
auth_count(const struct route_request *req, const struct auth_sent *sent,
    bool checked)
{
	const struct refusal_said said = {
		.address = req->remote,
		.request_id = req->id,
		.kind = sent->kind,
		.name = sent->name,
		.checked = checked,
	};

	refusal_note(&controller_of(req)->refusal, &said, clock_wall());
}

static bool
auth_refuse(struct route_request *req, struct route_reply *reply,
    const char *detail)
{
	route_header(reply, "WWW-Authenticate", "Basic realm=\"dcm\"");
	route_problem(req, reply, 401, "%s", detail);
	return false;
}

/* A token speaks for its own agent only. */
static bool
auth_own(struct route_request *req, struct route_reply *reply)
{
	const char *named = req->header(req, "X-Agent-ID");
	const char *mine = auth_of(req)->agent;

	if (mine[0] != '\0' && named != NULL &&
	    strcasecmp(named, mine) != 0) {
		route_problem(req, reply, 403,
		    "the token is that of another agent than X-Agent-ID");
		return false;
	}
	if ((req->route->who & ROUTE_TOKEN) != 0 &&
	    strcmp(route_value(req, "id"), mine) != 0) {
		route_problem(req, reply, 403,
		    "the token is that of another agent");
		return false;
	}
	return true;
}

bool
auth_authorize(struct route_request *req, struct route_reply *reply)
{
	const char *unset = controller_unset(controller_of(req));
	struct auth_sent sent;

	if (req->route->who == 0)
		return true;
	if (unset[0] != '\0') {
		log_error("auth", "%s", unset);
		route_problem(req, reply, 503, "%s", unset);
		return false;
	}
	switch (auth_judge(req, reply, &sent)) {
	case AUTH_NONE:
		return auth_refuse(req, reply, "a credential is needed");
	case AUTH_WRONG:
		auth_count(req, &sent, true);
		return auth_refuse(req, reply, "the credential is not good");
	case AUTH_SOON:
		auth_count(req, &sent, false);
		route_header(reply, "Retry-After", "%lld",
		    (sent.wait_ms + 999) / 1000);
		route_problem(req, reply, 429, "too many wrong credentials "
		    "came from there: passwords are not looked at now");
		return false;
	case AUTH_FAULT:
		return false;
	case AUTH_GOOD:
		break;
	}
	if ((req->who & req->route->who) == 0) {
		route_problem(req, reply, 403,
		    "the credential is good, but of the wrong role");
		return false;
	}
	return auth_own(req, reply);
}
