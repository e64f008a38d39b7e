//! What happens in the shop: requests with ids that go through its services, and an incident in the middle.
//!
//! Sixteen requests are on their way at any time; a record is the next step of one of them, something beside them, or
//! a mark of the incident. Between its marks answers get slow, steps fail, are tried again and given up; then it is
//! over and all is well again. Where levels are asked for, each record is one of its level, and there is no incident.

use super::words::{
    ALARMS, ASIDES, BY_LEVEL, ERROR, FATAL, Fault, Field, HEAT, INFO, MARKS, SCRIPTS, Script, Service, Step,
    USERS, VERSIONS, WARN,
};
use fastrand::Rng;

/// How many requests are on their way.
const ACTIVE: usize = 16;
/// A fault is given up after so many attempts.
const ATTEMPTS: u64 = 3;
/// Of a hundred risky steps so many fail on a good day, and so many more on a bad one.
const FAILURES: (u32, u32) = (1, 70);
/// Of a hundred requests so many ask for what they do not get.
const REFUSED: u32 = 3;
/// Of a hundred records so many happen beside the requests.
const BESIDE: u32 = 6;

/// How often each level occurs, relative to the others.
pub type Weights = [u32; BY_LEVEL.len()];

/// One record, whatever it will look like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    pub(super) level: usize,
    pub(super) service: &'static Service,
    pub(super) text: &'static str,
    pub(super) fields: &'static [Field],
    pub(super) fault: Option<&'static Fault>,
    /// The request's id; none beside them.
    pub(super) request: Option<u64>,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) with_order: bool,
    pub(super) status: u16,
    pub(super) ms: u64,
    /// Which of the users.
    pub(super) user: usize,
    pub(super) order: u64,
    pub(super) cents: u64,
    pub(super) rows: u64,
    pub(super) attempt: u64,
    pub(super) version: &'static str,
    pub(super) in_use: u64,
}

/// A request on its way.
#[derive(Debug, Clone, Copy)]
struct Request {
    id: u64,
    script: &'static Script,
    at: usize,
    user: usize,
    order: u64,
    cents: u64,
    /// What its steps took together.
    ms: u64,
    attempts: u64,
    status: u16,
}

impl Request {
    fn new(rng: &mut Rng) -> Request {
        let all = SCRIPTS.iter().map(|script| script.weight).sum();
        let mut place = rng.u32(0..all);
        let mut script = &SCRIPTS[0];
        for own in &SCRIPTS {
            script = own;
            if place < own.weight {
                break;
            }
            place -= own.weight;
        }
        // Some people come often.
        let user = rng.usize(0..USERS.len()).min(rng.usize(0..USERS.len()));
        let status = if rng.u32(0..100) < REFUSED { script.refused } else { script.status };
        Request {
            id: rng.u64(..) >> 16,
            script,
            at: 0,
            user,
            order: rng.u64(48_000..49_000),
            cents: rng.u64(190..40_000),
            ms: 0,
            attempts: 0,
            status,
        }
    }
}

/// The state of the shop. See the module.
#[derive(Debug)]
pub(super) struct Story {
    weights: Option<Weights>,
    requests: [Request; ACTIVE],
    /// The next of the marks.
    mark: usize,
    /// How far the story is, in thousandths.
    at: u32,
}

impl Story {
    /// Begins with requests on their way.
    pub(super) fn new(weights: Option<Weights>, rng: &mut Rng) -> Story {
        Story { weights, requests: std::array::from_fn(|_| Request::new(rng)), mark: 0, at: 0 }
    }

    /// Sets how far the story is, in thousandths; it begins again after its end.
    #[inline]
    pub(super) fn set(&mut self, at: u32) {
        if at < self.at {
            self.mark = 0;
        }
        self.at = at;
    }

    /// The next thing that happens.
    pub(super) fn next(&mut self, rng: &mut Rng) -> Event {
        let which = rng.usize(0..ACTIVE);
        if let Some(weights) = &self.weights {
            let level = level(weights, rng);
            return self.of_level(level, which, rng);
        }
        if let Some((mark, step)) = MARKS.get(self.mark)
            && *mark <= self.at
        {
            self.mark += 1;
            let mut event = self.event(step, which, rng);
            event.request = None;
            return event;
        }
        if rng.u32(0..100) < BESIDE {
            let hot = rng.u32(0..100) < self.heat();
            let step =
                if hot { &ALARMS[rng.usize(0..ALARMS.len())] } else { &ASIDES[rng.usize(0..ASIDES.len())] };
            let mut event = self.event(step, which, rng);
            event.request = None;
            return event;
        }
        self.advance(which, rng)
    }

    /// The next answer to a request, as a server keeps it in its access log.
    pub(super) fn answer(&mut self, rng: &mut Rng) -> Event {
        let which = rng.usize(0..ACTIVE);
        let request = &mut self.requests[which];
        let risk = request.script.steps.iter().rev().find_map(|step| step.risk);
        if let Some(weights) = &self.weights {
            request.status = match level(weights, rng) {
                FATAL | ERROR => [500, 502, 503, 504][rng.usize(0..4)],
                WARN => [400, 401, 404, 429][rng.usize(0..4)],
                _ => request.script.status,
            };
        } else if let Some(risk) = risk
            && self.fails(rng)
        {
            self.requests[which].status = risk.status;
        }
        let steps = self.requests[which].script.steps;
        let mut event = self.event(&steps[steps.len() - 1], which, rng);
        event.ms *= steps.len() as u64;
        event.level = of_status(event.status);
        self.requests[which] = Request::new(rng);
        event
    }

    fn of_level(&mut self, level: usize, which: usize, rng: &mut Rng) -> Event {
        let steps = BY_LEVEL[level];
        let step = &steps[rng.usize(0..steps.len())];
        let mut event = self.event(step, which, rng);
        event.fault = step.risk;
        if level == INFO {
            event.status = self.requests[which].script.status;
            self.requests[which] = Request::new(rng);
        }
        event
    }

    /// The next step of a request: it is done, tried again or given up.
    fn advance(&mut self, which: usize, rng: &mut Rng) -> Event {
        let script = self.requests[which].script;
        let step = &script.steps[self.requests[which].at];
        let mut event = self.event(step, which, rng);
        let failed = step.risk.filter(|_| self.fails(rng));
        let request = &mut self.requests[which];
        request.ms += event.ms;
        if let Some(fault) = failed {
            request.attempts += 1;
            event.attempt = request.attempts;
            event.fields = &[Field::Order, Field::Attempt, Field::Ms];
            (event.level, event.text) = (WARN, fault.again);
            if request.attempts >= ATTEMPTS {
                (event.level, event.text, event.fault) = (ERROR, fault.over, Some(fault));
                request.status = fault.status;
                request.at = script.steps.len() - 1;
            }
        } else if request.at + 1 < script.steps.len() {
            request.at += 1;
        } else {
            event.ms = request.ms;
            event.level = of_status(event.status);
            *request = Request::new(rng);
        }
        event
    }

    fn event(&self, step: &'static Step, which: usize, rng: &mut Rng) -> Event {
        let request = &self.requests[which];
        let heat = u64::from(self.heat());
        let rolled_out = (MARKS[1].0..MARKS[6].0).contains(&self.at);
        Event {
            level: step.level,
            service: step.service,
            text: step.text,
            fields: step.fields,
            fault: None,
            request: Some(request.id),
            method: request.script.method,
            path: request.script.path,
            with_order: request.script.with_order,
            status: request.status,
            ms: rng.u64(1..24) + heat * rng.u64(2..26),
            user: request.user,
            order: request.order,
            cents: request.cents,
            rows: rng.u64(0..50) + 1,
            attempt: request.attempts + 1,
            version: VERSIONS[usize::from(rolled_out)],
            in_use: 3 + (heat * 17).div_ceil(100),
        }
    }

    fn fails(&self, rng: &mut Rng) -> bool {
        rng.u32(0..100) < FAILURES.0 + FAILURES.1 * self.heat() / 100
    }

    /// How bad it is, from 0 to 100.
    fn heat(&self) -> u32 {
        let [from, full, cools, to] = HEAT;
        match self.at {
            at if at < from || at >= to => 0,
            at if at < full => 100 * (at - from) / (full - from),
            at if at < cools => 100,
            at => 100 * (to - at) / (to - cools),
        }
    }
}

/// A level by its weight.
pub(super) fn level(weights: &Weights, rng: &mut Rng) -> usize {
    let all = weights.iter().sum::<u32>().max(1);
    let mut place = rng.u32(0..all);
    for (level, &weight) in weights.iter().enumerate() {
        if place < weight {
            return level;
        }
        place -= weight;
    }
    INFO
}

/// The level of an answer.
fn of_status(status: u16) -> usize {
    match status {
        500.. => ERROR,
        400.. => WARN,
        _ => INFO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Errors among a thousand records in each tenth of the story, and the mean of what answers took.
    fn tenths(weights: Option<Weights>) -> Vec<(usize, u64)> {
        let mut rng = Rng::with_seed(7);
        let mut story = Story::new(weights, &mut rng);
        (0..10)
            .map(|tenth| {
                let (mut errors, mut ms, mut answers) = (0, 0, 0);
                for number in 0..1000 {
                    story.set(tenth * 100 + number / 10);
                    let event = story.next(&mut rng);
                    errors += usize::from(event.level >= ERROR);
                    if event.text == "request completed" {
                        ms += event.ms;
                        answers += 1;
                    }
                }
                (errors, ms / answers)
            })
            .collect()
    }

    #[test]
    fn the_incident_is_in_the_middle() {
        let found = tenths(None);
        for tenth in [0, 1, 2, 3, 7, 8, 9] {
            assert!(found[tenth].0 < 20 && found[tenth].1 < 150, "{found:?}");
        }
        assert!(found[5].0 > 60 && found[5].1 > 1000, "{found:?}");
    }

    #[test]
    fn levels_that_are_asked_for_stay_as_they_are() {
        let found = tenths(Some([0, 0, 9, 0, 1, 0]));
        assert!(found.iter().all(|tenth| (70..130).contains(&tenth.0)), "{found:?}");
    }

    #[test]
    fn a_story_that_begins_again_has_its_marks_again() {
        let mut rng = Rng::with_seed(7);
        let mut story = Story::new(None, &mut rng);
        for _ in 0..2 {
            for (at, step) in &MARKS {
                story.set(*at);
                assert_eq!(story.next(&mut rng).text, step.text);
            }
        }
    }

    #[test]
    fn ids_come_through_several_services() {
        let mut rng = Rng::with_seed(7);
        let mut story = Story::new(None, &mut rng);
        let mut seen = std::collections::BTreeMap::<u64, std::collections::BTreeSet<&str>>::new();
        for _ in 0..500 {
            let event = story.next(&mut rng);
            if let Some(id) = event.request {
                seen.entry(id).or_default().insert(event.service.name);
            }
        }
        assert!(seen.values().any(|services| services.len() >= 5), "{seen:?}");
    }
}
