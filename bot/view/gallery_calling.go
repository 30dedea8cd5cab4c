package view

import "time"

// remindedStory goes on until half of the card's life is over, and to its answer.
func remindedStory(sh *shelf, s *story, c cast) {
	s.wait(2 * time.Hour)
	s.look()
	sh.add("remind/one of two", s, "remind/ud-0/1")
	called := s.branch()
	called.wait(time.Hour)
	called.look()
	sh.add("escalate/one of two", called, "escalate/ud-0/1")
	sh.add("card/others were called in", called, "card/ud-0/1")
	s.approve("U0EVA", c.second, false)
	sh.add("remind/answered", s, "remind/ud-0/1")
}
