//! The reports by which an effect can be verified: `MWS.asmx`.
//!
//! A report is an ADO.NET data set in XML, with a schema first and rows of `Data` after it, and columns that are null left
//! out. It carries what a real one does, and so also a consumer's name, address and password: all of it made up.

use std::fmt::Write as _;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::super::credentials::SEGPAY_MERCHANT_ID;
use super::super::message::{Parameters, Reply, Request};
use super::super::xml::escaped;
use super::subscriptions::{Kind, Status, Subscription, Subscriptions, Transaction};
use super::{Exception, is_merchant, number, text};

/// The most rows that a list returns at once.
const PAGE: usize = 250;

/// One report.
struct Report {
    /// The vendor's name.
    name: &'static str,
    /// Its parameters after the credentials; those that are no number are only required to be there.
    parameters: &'static [&'static str],
    /// The parameter that is a number, if any.
    key: Option<&'static str>,
    /// Writes the reply.
    write: fn(&Subscriptions, i32) -> String,
}

static REPORTS: [Report; 5] = [
    Report { name: "ValidateUserAccess", parameters: &[], key: None, write: validate_user_access },
    Report {
        name: "TransactionByPurchaseID",
        parameters: &["PurchaseID"],
        key: Some("PurchaseID"),
        write: transactions_of_purchase,
    },
    Report { name: "TransactionByTransID", parameters: &["TransID"], key: Some("TransID"), write: transaction },
    Report {
        name: "AssetsActiveSubscriptionsByURL",
        parameters: &["BegDate", "EndDate", "PurchaseID", "URLID"],
        key: Some("PurchaseID"),
        write: active_subscriptions,
    },
    Report {
        name: "AssetsCancelledSubscriptionsByURL",
        parameters: &["BegDate", "EndDate", "PurchaseID", "URLID"],
        key: Some("PurchaseID"),
        write: cancelled_subscriptions,
    },
];

/// Answers one report, by its name in lower case.
pub(super) fn answer(subscriptions: &Subscriptions, name: &str, request: &Request) -> Reply {
    let Some(report) = REPORTS.iter().find(|report| report.name.eq_ignore_ascii_case(name)) else {
        return Exception::NoSuchMethod(name.to_owned()).into();
    };
    let parameters = request.parameters();
    match report.key(&parameters) {
        // A reply about another id than the one asked for is one about its neighbour.
        Ok(key) => Reply::xml((report.write)(subscriptions, key.saturating_add(i32::from(request.wrong_id)))),
        Err(exception) => exception.into(),
    }
}

impl Report {
    fn key(&self, parameters: &Parameters) -> Result<i32, Exception> {
        text(parameters, "UserID")?;
        text(parameters, "UserAccessKey")?;
        for name in self.parameters {
            text(parameters, name)?;
        }
        let key = self.key.map_or(Ok(0), |name| number(parameters, name))?;
        if !is_merchant(parameters) {
            return Err(Exception::InvalidMerchant { service: "MWS", method: self.name });
        }
        Ok(key)
    }
}

fn validate_user_access(_subscriptions: &Subscriptions, other: i32) -> String {
    let merchant = i64::from(SEGPAY_MERCHANT_ID) + i64::from(other);
    format!("{DECLARATION}<int xmlns=\"http://srs.segpay.com/MWS.asmx\">{merchant}</int>")
}

/// Every transaction of a purchase: the sale, then what was given back or charged after it.
fn transactions_of_purchase(subscriptions: &Subscriptions, purchase_id: i32) -> String {
    let mut data_set = DataSet::new();
    if let Some(subscription) = subscriptions.get(purchase_id) {
        data_set.row(|row| transaction_columns(row, &subscription, None));
        for made in subscriptions.visible(&subscription) {
            data_set.row(|row| transaction_columns(row, &subscription, Some(made)));
        }
    }
    data_set.finish()
}

/// One transaction.
fn transaction(subscriptions: &Subscriptions, trans_id: i32) -> String {
    let mut data_set = DataSet::new();
    if let Some(subscription) = subscriptions.of_transaction(trans_id) {
        let made = subscriptions.visible(&subscription).find(|made| made.trans_id == trans_id);
        // One that is not visible yet is not there at all.
        if made.is_some() || trans_id == subscription.sale() {
            data_set.row(|row| transaction_columns(row, &subscription, made));
        }
    }
    data_set.finish()
}

/// Active subscriptions, a page of them: from this PurchaseID on, after it, or it alone (see [`ListReading`]).
///
/// [`ListReading`]: super::subscriptions::ListReading
fn active_subscriptions(subscriptions: &Subscriptions, purchase_id: i32) -> String {
    let mut data_set = DataSet::new();
    for subscription in subscriptions.list_active(purchase_id).take(PAGE) {
        data_set.row(|row| {
            row.column("Domain", "www.example.com");
            row.column("PurchaseID", subscription.purchase_id);
            consumer_name(row, &subscription);
            row.column("Username", format_args!("member{}", subscription.purchase_id));
            row.column("Password", "made-up");
            row.column("RecurringAmount", amount(subscription.recurring_amount));
            row.column("Currency", "USD");
            row.column("LastDate", american(subscription.signed_up_on));
            row.column("NextDate", american(subscription.next_bill_date));
            row.column("Purchases", 1);
            row.column("PurchTotal", amount(subscription.initial_amount));
        });
    }
    data_set.finish()
}

/// Subscriptions that were cancelled, whether or not they have ended since, in pages like those of the active ones.
fn cancelled_subscriptions(subscriptions: &Subscriptions, purchase_id: i32) -> String {
    let mut data_set = DataSet::new();
    for subscription in subscriptions.list_cancelled(purchase_id).take(PAGE) {
        data_set.row(|row| {
            row.column("Domain", "www.example.com");
            row.column("PurchaseID", subscription.purchase_id);
            consumer_name(row, &subscription);
            row.column("Username", format_args!("member{}", subscription.purchase_id));
            row.column("Password", "made-up");
            row.column("RecurringAmount", amount(subscription.recurring_amount));
            row.column("Currency", "USD");
            row.column("LastDate", american(subscription.signed_up_on));
            row.column("Cancelled", subscription.cancelled_on.map(american).unwrap_or_default());
            row.column("ExpireDate", subscription.expired_on.map(american).unwrap_or_default());
            row.column("Purchases", 1);
            row.column("PurchTotal", amount(subscription.initial_amount));
        });
    }
    data_set.finish()
}

/// The columns of the sale, or of a transaction made after it.
fn transaction_columns(row: &mut Row<'_>, subscription: &Subscription, made: Option<&Transaction>) {
    let paid = made.map_or(subscription.initial_amount, |made| made.amount);
    let (kind, source, related, moved, is_approved) = match made.map(|made| made.kind) {
        None => ("Sale", "Signup", 0, paid, true),
        Some(Kind::Credit { of }) => ("Credit", "System", of, -paid, true),
        Some(Kind::Upgrade) => ("Sale", "Upgrade", 0, paid, true),
        Some(Kind::DeclinedUpgrade) => ("Sale", "Upgrade", 0, paid, false),
    };
    row.column("URL", "www.example.com");
    row.column("TransID", made.map_or(subscription.sale(), |made| made.trans_id));
    row.column("RelatedTransID", related);
    row.column("TransTime", iso(made.map_or(subscription.signed_up_on, |made| made.made_on)));
    row.column("Type", kind);
    row.column("Source", source);
    row.column("Auth", if is_approved { "Yes" } else { "No" });
    row.column("TransAmount", amount(moved));
    row.column("AuthCode", if is_approved { "00-Approved" } else { "51-Insufficient Funds" });
    row.column("Currency", "USD");
    row.column("PurchaseID", subscription.purchase_id);
    row.column("PurchType", "Recurring");
    consumer_name(row, subscription);
    row.column("CustEMail", format_args!("member{}@example.com", subscription.purchase_id));
    row.column("CustCountry", "United States");
    row.column("CustIP", "192.0.2.17");
    row.column("Username", format_args!("member{}", subscription.purchase_id));
    row.column("Password", "made-up");
    row.column("PurchStatus", status(subscription.status));
    row.column("InitialAmount", amount(subscription.initial_amount));
    row.column("RecurringAmount", amount(subscription.recurring_amount));
    row.column("RecurringPeriod", subscription.recurring_period_days);
    if subscription.is_active() {
        row.column("NextDate", iso(subscription.next_bill_date));
    }
    if let Some(date) = subscription.cancelled_on {
        row.column("CancelDate", iso(date));
    }
    if let Some(date) = subscription.expired_on {
        row.column("ExpiredDate", iso(date));
    }
    row.column("Retries", 0);
    row.column("REF1", format_args!("account-{}", subscription.purchase_id));
    row.column("REF2", "");
}

fn consumer_name(row: &mut Row<'_>, subscription: &Subscription) {
    // A name with an ampersand, now and then: real ones have them.
    let name = if subscription.purchase_id % 10 == 0 { "Jo & Sam Example" } else { "Jane Example" };
    row.column("CustName", name);
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Active => "Active",
        Status::Cancelled => "Cancelled",
        Status::Expired => "Expired",
    }
}

/// Money as SQL Server's type of that name is written: four decimals.
fn amount(amount: Decimal) -> String {
    format!("{amount:.4}")
}

fn iso(date: Date) -> String {
    format!("{date}T00:03:01+00:00")
}

fn american(date: Date) -> String {
    format!("{:02}/{:02}/{:04}", date.month(), date.day(), date.year())
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n";

/// An ADO.NET data set being written.
struct DataSet {
    rows: String,
    count: usize,
}

struct Row<'a>(&'a mut String);

impl Row<'_> {
    fn column(&mut self, name: &str, value: impl std::fmt::Display) {
        let value = escaped(&value.to_string());
        // Writing into a string cannot fail.
        let _ = if value.is_empty() {
            write!(self.0, "        <{name} />\r\n")
        } else {
            write!(self.0, "        <{name}>{value}</{name}>\r\n")
        };
    }
}

impl DataSet {
    fn new() -> Self {
        Self { rows: String::new(), count: 0 }
    }

    fn row(&mut self, columns: impl FnOnce(&mut Row<'_>)) {
        let (order, id) = (self.count, self.count + 1);
        let _ = write!(self.rows, "      <Data diffgr:id=\"Data{id}\" msdata:rowOrder=\"{order}\">\r\n");
        columns(&mut Row(&mut self.rows));
        self.rows.push_str("      </Data>\r\n");
        self.count += 1;
    }

    fn finish(self) -> String {
        const SCHEMA: &str = concat!(
            "  <xs:schema id=\"NewDataSet\" xmlns=\"\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" ",
            "xmlns:msdata=\"urn:schemas-microsoft-com:xml-msdata\">\r\n",
            "    <xs:element name=\"NewDataSet\" msdata:IsDataSet=\"true\" msdata:UseCurrentLocale=\"true\">\r\n",
            "      <xs:complexType><xs:choice minOccurs=\"0\" maxOccurs=\"unbounded\"><xs:element name=\"Data\" />",
            "</xs:choice></xs:complexType>\r\n",
            "    </xs:element>\r\n",
            "  </xs:schema>\r\n",
        );
        let body = if self.count == 0 {
            String::new()
        } else {
            format!("    <NewDataSet xmlns=\"\">\r\n{}    </NewDataSet>\r\n", self.rows)
        };
        format!(
            "{DECLARATION}<DataSet xmlns=\"http://srs.segpay.com/MWS.asmx\">\r\n{SCHEMA}  <diffgr:diffgram \
             xmlns:msdata=\"urn:schemas-microsoft-com:xml-msdata\" \
             xmlns:diffgr=\"urn:schemas-microsoft-com:xml-diffgram-v1\">\r\n{body}  </diffgr:diffgram>\r\n</DataSet>"
        )
    }
}
