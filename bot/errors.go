package bot

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"
)

// slackError is the error code of Slack's answer, "" when there was no answer.
func slackError(err error) string {
	var answer slack.SlackErrorResponse
	if errors.As(err, &answer) {
		return answer.Err
	}
	return ""
}

// explain says in a few words what went wrong, with what Slack says about blocks it does not like and
// scopes it misses. People read it, so that it holds no secret.
func explain(err error) string {
	var answer slack.SlackErrorResponse
	if !errors.As(err, &answer) {
		return cut(masked(err.Error()))
	}
	text := answer.Err
	if answer.Needed != "" {
		text += ": the app needs the scope " + answer.Needed + " (reinstall it from the manifest)"
	}
	if said := answer.ResponseMetadata.Messages; len(said) > 0 {
		text += ": " + strings.Join(said, "; ")
	}
	return text
}

// shut says in words why a place takes no message from us, and who changes that.
var shut = map[string]string{
	"is_archived":       "the channel is archived: somebody must unarchive it",
	"not_in_channel":    "the bot is not in the channel: `/invite @vmssbot` there",
	"channel_not_found": "the bot cannot see the channel: `/invite @vmssbot` there",
	"restricted_action": "a rule of the workspace keeps the bot from posting there",
}

// unsent says why a message was not sent.
func unsent(err error) string {
	if words, known := shut[slackError(err)]; known {
		return fmt.Sprintf("%s (%s)", words, slackError(err))
	}
	return explain(err)
}

// rateLimit is how long Slack wants to be left alone after a 429.
func rateLimit(err error) (time.Duration, bool) {
	var limited *slack.RateLimitedError
	if !errors.As(err, &limited) {
		return 0, false
	}
	return max(limited.RetryAfter, time.Second), true
}

func is(err error, codes ...string) bool {
	code := slackError(err)
	return code != "" && slices.Contains(codes, code)
}

// revoked reports whether the token is no good any more, whatever it is used for.
func revoked(err error) bool {
	return is(err, "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired")
}

// hopeless reports whether Slack's answer will be the same next time: somebody has to change the
// token or the app. socketmode itself repeats several of these for ever.
func hopeless(err error) bool {
	return revoked(err) || is(err, "not_allowed_token_type", "missing_scope", "no_permission", "org_login_required",
		"ekm_access_denied", "team_access_not_granted", "bot_not_found")
}

// forbidden: the app may not do that, and will not until somebody installs it anew or changes a rule of the
// workspace.
func forbidden(err error) bool {
	return is(err, "missing_scope", "no_permission", "not_allowed_token_type", "file_uploads_disabled", "file_type_not_allowed", "file_upload_size_restricted")
}

// malformed: the message itself is refused, and will be again.
func malformed(err error) bool {
	return is(err, "invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "too_many_blocks", "invalid_arguments")
}

// uneditable: the message is there no more, or not ours to edit.
func uneditable(err error) bool {
	return is(err, "message_not_found", "cant_update_message", "edit_window_closed", "is_inactive")
}

// unthreadable: the message that the thread hangs on is gone, or takes no replies.
func unthreadable(err error) bool {
	return is(err, "thread_not_found", "message_not_found", "cannot_reply_to_message", "invalid_thread_ts")
}

// unreachable: the person does not see what is said there, or we may not speak there.
func unreachable(err error) bool {
	return is(err, "channel_not_found", "not_in_channel", "user_not_in_channel", "user_not_found", "is_archived", "no_permission",
		"restricted_action", "thread_not_found", "invalid_thread_ts")
}
