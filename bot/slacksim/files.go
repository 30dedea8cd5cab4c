package slacksim

import (
	"cmp"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strings"
)

// File is an upload. It is visible only after a while: completeUploadExternal answers before that.
type File struct {
	ID      string  `json:"id"`
	Name    string  `json:"name"`
	Title   string  `json:"title"`
	Type    string  `json:"mimetype"`
	AltText string  `json:"alt_txt,omitempty"`
	Size    int     `json:"size"`
	Visible bool    `json:"visible"` // processed: files.info shows its shares, image blocks may use it
	Content []byte  `json:"-"`
	Shares  []Share `json:"shares,omitempty"`
	Created int64   `json:"created"`

	secret   string // of the upload address
	uploaded bool
	base     string
}

// Share is a message that carries a file.
type Share struct {
	Channel  string `json:"channel"`
	TS       string `json:"ts"`
	ThreadTS string `json:"thread_ts,omitempty"`
}

// Files returns the uploads that were completed, oldest first.
func (s *Sim) Files() []File {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []File
	for _, f := range s.files {
		if f.Title != "" {
			out = append(out, *f)
		}
	}
	slices.SortFunc(out, func(a, b File) int { return cmp.Or(cmp.Compare(a.Created, b.Created), strings.Compare(a.ID, b.ID)) })
	return out
}

func (c call) filesUploadURL() object {
	name, size := c.str("filename"), c.number("length", 0)
	switch {
	case name == "":
		return invalidArguments([]blockError{{Pointer: "/filename", Message: "missing required field: filename"}})
	case size < 1:
		return invalidArguments([]blockError{{Pointer: "/length", Message: "must be greater than 1"}})
	}
	f := &File{ID: c.ids.object("F"), Name: name, Size: size, AltText: c.str("alt_txt"), Created: c.now().Unix(), secret: c.ids.secret(), base: c.base}
	f.Type = cmp.Or(mime.TypeByExtension(path.Ext(name)), "text/plain")
	f.Type, _, _ = strings.Cut(f.Type, ";")
	c.files[f.ID] = f
	return ok(object{"upload_url": c.base + "/files/upload/" + f.ID + "/" + f.secret, "file_id": f.ID})
}

// serveFile takes the raw upload of a file and gives its content back to holders of a token.
func (s *Sim) serveFile(w http.ResponseWriter, r *http.Request) {
	if f := s.httpFault("upload", ""); f != nil && s.troubleBefore(w, r, f, "upload", args{}) {
		return
	}
	part := strings.Split(strings.TrimPrefix(r.URL.Path, "/files/"), "/")
	switch {
	case len(part) == 3 && part[0] == "upload" && r.Method == http.MethodPost:
		s.takeUpload(w, r, part[1], part[2])
	case len(part) == 2 && r.Method == http.MethodGet:
		s.giveFile(w, r, part[0])
	default:
		http.NotFound(w, r)
	}
}

func (s *Sim) takeUpload(w http.ResponseWriter, r *http.Request, id, secret string) {
	content, err := uploaded(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[id]
	switch {
	case f == nil || f.secret != secret || f.uploaded:
		http.Error(w, "no such upload", http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	case len(content) != f.Size:
		http.Error(w, "length does not match", http.StatusBadRequest)
	default:
		f.Content, f.uploaded = content, true
		s.record(Entry{Kind: LogAPI, Method: "upload", Status: http.StatusOK, Args: encode(object{"file": id, "size": len(content)})})
		io.WriteString(w, "OK - "+itoa(len(content)))
	}
}

func itoa(n int) string { return string(encode(n)) }

// uploaded reads the file from a raw body or from the first part of a multipart form.
func uploaded(r *http.Request) ([]byte, error) {
	body := io.Reader(http.MaxBytesReader(nil, r.Body, 10*maxBody))
	if kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "multipart/form-data" {
		part, err := multipart.NewReader(body, params["boundary"]).NextPart()
		if err != nil {
			return nil, err
		}
		body = part
	}
	return io.ReadAll(body)
}

func (s *Sim) giveFile(w http.ResponseWriter, r *http.Request, id string) {
	s.mu.Lock()
	f := s.files[id]
	allowed := bearer(r, args{vals: map[string]json.RawMessage{}}) == s.opt.BotToken
	s.mu.Unlock()
	switch {
	case !allowed:
		http.Error(w, "not authorised", http.StatusForbidden)
	case f == nil || !f.uploaded:
		http.NotFound(w, r)
	default:
		w.Header().Set("Content-Type", f.Type)
		w.Write(f.Content) //nolint:errcheck // the caller went away
	}
}

// filesComplete finishes uploads: the files are processed and shared a while after the answer.
func (c call) filesComplete() object {
	raw, okJSON := c.raw("files")
	var list []struct{ ID, Title string }
	if !okJSON || json.Unmarshal(raw, &list) != nil || len(list) == 0 {
		return invalidArguments([]blockError{{Pointer: "/files", Message: "must provide an array"}})
	}
	ch, bad := c.shareIn(cmp.Or(c.str("channel_id"), c.str("channels")))
	if bad != nil {
		return bad
	}
	var files []*File
	answer := []object{}
	for _, item := range list {
		f := c.files[item.ID]
		if f == nil || !f.uploaded || f.Title != "" {
			return fail("file_not_found")
		}
		files = append(files, f)
	}
	for i, f := range files {
		f.Title = cmp.Or(list[i].Title, f.Name)
		answer = append(answer, object{"id": f.ID, "title": f.Title})
	}
	comment, thread := c.str("initial_comment"), c.str("thread_ts")
	era := c.era
	publish := func() {
		if c.Sim.era == era {
			c.publish(files, ch, comment, thread)
		}
	}
	if c.opt.FileDelay > 0 {
		c.after(c.opt.FileDelay, publish)
	} else {
		publish()
	}
	return ok(object{"files": answer})
}

// shareIn finds the conversation that files shall go to; none without one.
func (c call) shareIn(id string) (*channel, object) {
	if id == "" {
		return nil, nil
	}
	ch := c.channel(id)
	switch {
	case ch == nil || ch.ID != id:
		return nil, fail("channel_not_found")
	case ch.Archived:
		return nil, fail("is_archived")
	case !ch.has(BotUser):
		return nil, fail("not_in_channel")
	}
	return ch, nil
}

// publish makes files visible and posts them. The lock is held.
func (s *Sim) publish(files []*File, ch *channel, comment, thread string) {
	m := &message{}
	m.User, m.Text, m.ThreadTS = BotUser, comment, thread
	for _, f := range files {
		f.Visible = true
		m.Files = append(m.Files, f.ID)
	}
	if ch == nil {
		s.changed()
		return
	}
	s.add(ch, m)
	for _, f := range files {
		f.Shares = append(f.Shares, Share{Channel: ch.ID, TS: m.TS, ThreadTS: thread})
	}
	ch.touch(m)
	event := s.messageJSON(ch, m)
	event["subtype"] = "file_share"
	s.emitMessage(ch, event)
}

func (c call) filesInfo() object {
	f := c.files[c.str("file")]
	if f == nil || f.Title == "" {
		return fail("file_not_found")
	}
	return ok(object{"file": c.fileJSON(f), "comments": []object{}, "response_metadata": object{"next_cursor": ""}})
}

func (s *Sim) filesJSON(ids []string) []object {
	out := []object{}
	for _, id := range ids {
		if f := s.files[id]; f != nil {
			out = append(out, s.fileJSON(f))
		}
	}
	return out
}

// fileJSON is the file object. Before the file is visible it has neither type nor shares.
func (s *Sim) fileJSON(f *File) object {
	kind := strings.TrimPrefix(path.Ext(f.Name), ".")
	o := object{
		"id": f.ID, "created": f.Created, "timestamp": f.Created, "name": f.Name, "title": f.Title, "user": BotUser, "user_team": s.opt.Team.ID,
		"editable": false, "size": f.Size, "mode": "hosted", "is_external": false, "external_type": "", "is_public": len(f.Shares) > 0,
		"public_url_shared": false, "display_as_bot": false, "username": "", "url_private": f.base + "/files/" + f.ID + "/" + f.Name,
		"url_private_download": f.base + "/files/" + f.ID + "/" + f.Name, "permalink": f.base + "/files/" + f.ID + "/" + f.Name,
		"mimetype": "", "filetype": "", "pretty_type": "", "shares": object{}, "channels": []string{}, "groups": []string{}, "ims": []string{},
		"comments_count": 0, "is_starred": false, "has_rich_preview": false, "file_access": "visible",
	}
	if !f.Visible {
		return o
	}
	o["mimetype"], o["filetype"], o["pretty_type"] = f.Type, cmp.Or(kind, "text"), strings.ToUpper(cmp.Or(kind, "text"))
	if f.AltText != "" {
		o["alt_txt"] = f.AltText
	}
	public, channels := map[string][]object{}, []string{}
	for _, sh := range f.Shares {
		public[sh.Channel] = append(public[sh.Channel], object{"ts": sh.TS, "thread_ts": sh.ThreadTS, "reply_users": []string{},
			"reply_users_count": 0, "reply_count": 0, "channel_name": s.channel(sh.Channel).Name, "team_id": s.opt.Team.ID, "share_user_id": BotUser})
		channels = append(channels, sh.Channel)
	}
	o["shares"], o["channels"] = object{"public": public}, channels
	return o
}

// fileSeen reports whether a slack_file object of an image names a visible picture, by exactly one of id and url.
func (s *Sim) fileSeen(o object) bool {
	id, _ := o["id"].(string)
	url, _ := o["url"].(string)
	if (id == "") == (url == "") {
		return false
	}
	for _, f := range s.files {
		match := f.ID == id || url != "" && strings.HasSuffix(url, "/files/"+f.ID+"/"+f.Name)
		if match && f.Visible && slices.Contains([]string{"image/png", "image/jpeg", "image/gif"}, f.Type) {
			return true
		}
	}
	return false
}
