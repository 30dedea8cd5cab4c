// Package bench measures what the bot costs the people and the Azure it works for: how long a
// rollout takes beside Azure's own work, how many calls it makes, how soon it answers, obeys and is
// back. It holds benchmarks and budgets only; `make bench` fails when a budget is exceeded.
//
// # Nouns
//
//   - A figure is one number of one benchmark. Its name is the benchmark's and the figure's unit:
//     Rollout/simulated:makespan.
//   - A budget is a line of budgets.txt: a figure, a comparison, a bound, and why it is that one.
//   - A stage is a workspace and an Azure with a bot between them, and the people who use it. Both
//     keep books of all they were asked and when. Figures come from these, never from the bot.
//
// # Two kinds of time
//
// "simulated" figures are of a rollout at the pace of production, in the time of a testing/synctest
// bubble on an in-memory network: they are the same on every machine. "tcp" figures are of the real
// binary, as its own process, over sockets, against the same two servers sixty times as fast as life.
//
// # Makespan
//
// The time of a whole rollout, over the time Azure itself took for it:
//
//	from Azure's acceptance of the first start until the thread says that the rollout succeeded
//	-------------------------------------------------------------------------------------------
//	sum over the update domains: from Azure's acceptance of its start until, by Azure's own books,
//	the last of its instances was healthy
//
// The rollout is of 20 instances in 5 domains which take three minutes each, with soak 0, bake 0 and
// one yes to everything on the first card: no time is anybody's but Azure's and the bot's.
package bench
