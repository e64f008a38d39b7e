//! The tables of the story: a shop's services, what requests do in them, and what goes wrong.
//!
//! Text here has neither quotes, backslashes nor control characters, so that every format takes it as it is.

/// A service of the shop.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: &'static str,
    /// As Java calls the part that speaks.
    pub(super) class: &'static str,
    /// Its process.
    pub(super) pid: u64,
}

const fn service(name: &'static str, class: &'static str, pid: u64) -> Service {
    Service { name, class, pid }
}

pub(super) static GATEWAY: Service = service("gateway", "Dispatcher", 812);
pub(super) static AUTH: Service = service("auth", "TokenFilter", 845);
pub(super) static CATALOG: Service = service("catalog", "ProductIndex", 901);
pub(super) static STOCK: Service = service("stock", "Reservations", 933);
pub(super) static ORDERS: Service = service("orders", "OrderService", 1017);
pub(super) static PAYMENTS: Service = service("payments", "CardClient", 1184);
pub(super) static DB: Service = service("db", "Pool", 1202);
pub(super) static DEPLOY: Service = service("deploy", "Rollout", 77);

/// What an event may say beside its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Method,
    Path,
    Status,
    Ms,
    User,
    Client,
    Order,
    Amount,
    Rows,
    Attempt,
    Version,
    InUse,
}
use Field::{Amount, Attempt, Client, InUse, Method, Ms, Order, Path, Rows, Status, User, Version};

pub(super) const TRACE: usize = 0;
pub(super) const DEBUG: usize = 1;
pub(super) const INFO: usize = 2;
pub(super) const WARN: usize = 3;
pub(super) const ERROR: usize = 4;
pub(super) const FATAL: usize = 5;

/// One thing that happens.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) service: &'static Service,
    pub(super) level: usize,
    pub(super) text: &'static str,
    pub(super) fields: &'static [Field],
    /// What may go wrong with it.
    pub(super) risk: Option<&'static Fault>,
}

const fn step(service: &'static Service, level: usize, text: &'static str, fields: &'static [Field]) -> Step {
    Step { service, level, text, fields, risk: None }
}

const fn risky(step: Step, fault: &'static Fault) -> Step {
    Step { risk: Some(fault), ..step }
}

/// A place in a program.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) package: &'static str,
    pub(super) class: &'static str,
    pub(super) method: &'static str,
    pub(super) line: u64,
    pub(super) code: &'static str,
}

const fn frame(
    package: &'static str,
    class: &'static str,
    method: &'static str,
    line: u64,
    code: &'static str,
) -> Frame {
    Frame { package, class, method, line, code }
}

/// What goes wrong: the names that languages have for it, and the way to it from the innermost place outwards.
#[derive(Debug)]
pub(super) struct Fault {
    /// Each time it is tried again.
    pub(super) again: &'static str,
    /// In the end.
    pub(super) over: &'static str,
    pub(super) java: &'static str,
    pub(super) python: &'static str,
    pub(super) cause: &'static str,
    pub(super) status: u16,
    pub(super) frames: &'static [Frame],
}

pub(super) static POOL_EMPTY: Fault = Fault {
    again: "no connection to the database, trying again",
    over: "query given up",
    java: "java.sql.SQLTransientConnectionException",
    python: "shop.db.errors.PoolTimeoutError",
    cause: "no connection free after 3000 ms, 20 of 20 in use",
    status: 503,
    frames: &[
        frame("db", "Pool", "take", 88, "raise PoolTimeoutError(self.describe())"),
        frame("db", "Session", "query", 141, "with self.pool.take(timeout=3) as connection:"),
        frame("orders", "OrderService", "read", 57, "rows = self.session.query(ORDER_BY_ID, order)"),
        frame("gateway", "Dispatcher", "handle", 203, "return route.call(request)"),
    ],
};

pub(super) static CARD_TIMEOUT: Fault = Fault {
    again: "card provider is slow, trying again",
    over: "payment failed",
    java: "java.net.SocketTimeoutException",
    python: "TimeoutError",
    cause: "read timed out after 2500 ms at cards.example.net:443",
    status: 504,
    frames: &[
        frame("payments", "CardClient", "post", 117, "answer = self.http.post(url, body, timeout=2.5)"),
        frame("payments", "CardClient", "authorise", 64, "return self.post(AUTHORISE, card)"),
        frame("payments", "PaymentService", "pay", 149, "approval = self.cards.authorise(amount, token)"),
        frame("orders", "OrderService", "place", 92, "self.payments.pay(order)"),
        frame("gateway", "Dispatcher", "handle", 203, "return route.call(request)"),
    ],
};

pub(super) static STOCK_LOCK: Fault = Fault {
    again: "shelf is locked, trying again",
    over: "reservation failed",
    java: "org.example.shop.stock.LockTimeoutException",
    python: "shop.stock.errors.LockTimeoutError",
    cause: "shelf 17 is held by another order",
    status: 502,
    frames: &[
        frame("stock", "Shelf", "lock", 39, "raise LockTimeoutError(self.number)"),
        frame("stock", "Reservations", "reserve", 76, "with shelf.lock(timeout=1):"),
        frame("orders", "OrderService", "place", 81, "self.stock.reserve(order)"),
        frame("gateway", "Dispatcher", "handle", 203, "return route.call(request)"),
    ],
};

/// What a request asks for.
#[derive(Debug)]
pub(super) struct Script {
    /// How often, relative to the others.
    pub(super) weight: u32,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    /// Whether an order's number ends the path.
    pub(super) with_order: bool,
    /// The answer if all goes well.
    pub(super) status: u16,
    /// And if what is asked for is wrong.
    pub(super) refused: u16,
    /// The last one is the answer.
    pub(super) steps: &'static [Step],
}

const ACCEPTED: Step = step(&GATEWAY, DEBUG, "request accepted", &[Method, Path, User, Client]);
const ANSWERED: Step = step(&GATEWAY, INFO, "request completed", &[Method, Path, Status, Ms]);
const VERIFIED: Step = step(&AUTH, DEBUG, "token verified", &[User, Ms]);

pub(super) static SCRIPTS: [Script; 5] = [
    Script {
        weight: 6,
        method: "GET",
        path: "/api/products",
        with_order: false,
        status: 200,
        refused: 400,
        steps: &[ACCEPTED, step(&CATALOG, INFO, "products listed", &[Rows, Ms]), ANSWERED],
    },
    Script {
        weight: 4,
        method: "GET",
        path: "/assets/app.js",
        with_order: false,
        status: 304,
        refused: 404,
        steps: &[ANSWERED],
    },
    Script {
        weight: 3,
        method: "GET",
        path: "/api/orders/",
        with_order: true,
        status: 200,
        refused: 404,
        steps: &[
            ACCEPTED,
            VERIFIED,
            risky(step(&DB, DEBUG, "query finished", &[Rows, Ms]), &POOL_EMPTY),
            step(&ORDERS, INFO, "order read", &[Order, User]),
            ANSWERED,
        ],
    },
    Script {
        weight: 3,
        method: "POST",
        path: "/api/orders/",
        with_order: true,
        status: 201,
        refused: 409,
        steps: &[
            ACCEPTED,
            VERIFIED,
            step(&CATALOG, DEBUG, "cart priced", &[Rows, Amount]),
            risky(step(&STOCK, INFO, "items reserved", &[Order, Rows, Ms]), &STOCK_LOCK),
            step(&PAYMENTS, DEBUG, "authorising payment", &[Order, Amount]),
            risky(step(&PAYMENTS, INFO, "payment authorised", &[Order, Amount, Ms]), &CARD_TIMEOUT),
            risky(step(&DB, DEBUG, "row inserted", &[Order, Ms]), &POOL_EMPTY),
            step(&ORDERS, INFO, "order placed", &[Order, User, Amount]),
            ANSWERED,
        ],
    },
    Script {
        weight: 2,
        method: "POST",
        path: "/login",
        with_order: false,
        status: 200,
        refused: 401,
        steps: &[ACCEPTED, step(&AUTH, INFO, "signed in", &[User, Client]), ANSWERED],
    },
];

/// What happens beside the requests while all is well.
pub(super) static ASIDES: [Step; 8] = [
    step(&GATEWAY, TRACE, "heartbeat sent", &[InUse]),
    step(&DB, TRACE, "connection taken", &[InUse]),
    step(&DB, DEBUG, "connection given back", &[InUse]),
    step(&CATALOG, DEBUG, "cache miss", &[Rows]),
    step(&CATALOG, INFO, "cache refreshed", &[Rows, Ms]),
    step(&STOCK, INFO, "shelves counted", &[Rows]),
    step(&AUTH, INFO, "keys rotated", &[]),
    step(&DB, WARN, "slow query", &[Rows, Ms]),
];

/// And while it is not.
pub(super) static ALARMS: [Step; 4] = [
    step(&DB, WARN, "connection pool is nearly used up", &[InUse]),
    step(&GATEWAY, WARN, "health check is late", &[Ms]),
    step(&ORDERS, WARN, "queue is growing", &[Rows]),
    step(&GATEWAY, ERROR, "health check failed", &[Ms]),
];

/// What is worth a line for each level where the levels are asked for.
pub(super) static BY_LEVEL: [&[Step]; 6] = [
    &[step(&GATEWAY, TRACE, "heartbeat sent", &[InUse]), step(&DB, TRACE, "connection taken", &[InUse])],
    &[ACCEPTED, VERIFIED, step(&DB, DEBUG, "query finished", &[Rows, Ms])],
    &[
        ANSWERED,
        step(&CATALOG, INFO, "products listed", &[Rows, Ms]),
        step(&PAYMENTS, INFO, "payment authorised", &[Order, Amount, Ms]),
        step(&ORDERS, INFO, "order placed", &[Order, User, Amount]),
    ],
    &[
        step(&DB, WARN, "slow query", &[Rows, Ms]),
        step(&PAYMENTS, WARN, "card provider is slow, trying again", &[Order, Attempt, Ms]),
        step(&GATEWAY, WARN, "health check is late", &[Ms]),
    ],
    &[
        risky(step(&PAYMENTS, ERROR, "payment failed", &[Order, Amount]), &CARD_TIMEOUT),
        risky(step(&DB, ERROR, "query given up", &[Order]), &POOL_EMPTY),
        risky(step(&STOCK, ERROR, "reservation failed", &[Order]), &STOCK_LOCK),
    ],
    &[
        step(&PAYMENTS, FATAL, "circuit breaker opened, payments are off", &[InUse]),
        step(&DB, FATAL, "out of connections, going down", &[InUse]),
    ],
];

/// The incident as its people see it: in which thousandth of the story what is said.
pub(super) static MARKS: [(u32, Step); 9] = [
    (0, step(&DEPLOY, INFO, "shop is up", &[Version])),
    (430, step(&DEPLOY, INFO, "rolling out payments", &[Version])),
    (450, step(&DEPLOY, INFO, "payments are rolled out", &[Version])),
    (480, step(&DB, WARN, "connection pool is nearly used up", &[InUse])),
    (510, step(&PAYMENTS, FATAL, "circuit breaker opened, payments are off", &[InUse])),
    (550, step(&DEPLOY, WARN, "rolling payments back", &[Version])),
    (580, step(&DEPLOY, INFO, "payments are rolled back", &[Version])),
    (610, step(&PAYMENTS, INFO, "circuit breaker closed", &[InUse])),
    (640, step(&GATEWAY, INFO, "health check is good again", &[Ms])),
];
/// Between these marks a fault is about: the heat climbs from the first to the second and falls from the third on.
pub(super) const HEAT: [u32; 4] = [440, 510, 580, 640];
/// The versions before, within and after the incident.
pub(super) const VERSIONS: [&str; 2] = ["2.3.1", "2.4.0"];

pub(super) const USERS: [&str; 24] = [
    "ada",
    "alan",
    "barbara",
    "claude",
    "dennis",
    "donald",
    "edsger",
    "frances",
    "grace",
    "hedy",
    "ivan",
    "jean",
    "john",
    "katherine",
    "ken",
    "leslie",
    "linus",
    "margaret",
    "niklaus",
    "radia",
    "sophie",
    "tony",
    "vint",
    "wietse",
];
pub(super) const AGENTS: [&str; 5] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "curl/8.14.1",
    "shop-app/3.2 (Android 16)",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_needs_no_escapes() {
        let steps = SCRIPTS.iter().flat_map(|script| script.steps).chain(&ASIDES).chain(&ALARMS);
        let steps = steps.chain(BY_LEVEL.iter().copied().flatten()).chain(MARKS.iter().map(|mark| &mark.1));
        let mut all: Vec<&str> = steps.map(|step| step.text).collect();
        all.extend(USERS.iter().chain(&AGENTS));
        for fault in [&POOL_EMPTY, &CARD_TIMEOUT, &STOCK_LOCK] {
            all.extend([fault.again, fault.over, fault.cause, fault.java, fault.python]);
            all.extend(fault.frames.iter().map(|frame| frame.code));
        }
        for text in all {
            assert!(text.bytes().all(|byte| (b' '..0x7f).contains(&byte)), "{text}");
            assert!(!text.contains(['"', '\\']), "{text}");
        }
    }

    #[test]
    fn marks_are_in_order_and_levels_fit() {
        assert!(MARKS.is_sorted_by_key(|mark| mark.0) && HEAT.is_sorted());
        for (level, steps) in BY_LEVEL.iter().enumerate() {
            assert!(steps.iter().all(|step| step.level == level));
        }
    }
}
