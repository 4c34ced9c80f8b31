//! The catalogue in all its forms, exactly.

use super::samples::{CHARGE, EXTEND};
use super::*;

#[test]
fn the_catalogue() {
    let expected = "\
operation                 effect    money  what it does
segpay.extend_membership  additive         Adds days to a membership.
other.charge              additive  moves  Charges a customer.
";
    assert_eq!(catalogue(&[&EXTEND, &CHARGE], &Style::plain(80)), expected);
}

#[test]
fn one_operation_in_full() {
    let expected = "\
other.charge
  Charges a customer.

  effect       adds up; a repeat doubles it
  money        moves money
  verified by  nothing; a row in doubt needs a person
  amount       Amount
  returns      link

  parameter             type
  Amount      required  amount                      What it means.
  User.Email  depends   text, at most 50            What it means.
                        characters
  User.Name   depends   text, at most 50            What it means.
                        characters
  UserId      depends   id, at most 9 characters    What it means.
  Mode        optional  now | later                 What it means.

  at least one of User.Email, UserId
  at most one of User.Email, UserId
  all or none of User.Name, User.Email

  an example input:  subops operations other.charge --template csv
";
    assert_eq!(detail(&CHARGE, &Style::plain(68)), expected);
}

#[test]
fn the_fixed_format() {
    let expected = concat!(
        r#"[{"name":"segpay.extend_membership","provider":"segpay","effect":"additive","moves_money":false,"#,
        r#""subject":"PurchaseID","amount":null,"verified_by":"reading the next bill date","#,
        r#""parameters":[{"name":"PurchaseID","type":"id","required":true,"about":"What it means."},"#,
        r#"{"name":"Days","type":"integer","required":true,"about":"What it means."},"#,
        r#"{"name":"Note","type":"text","required":false,"about":"What it means."}]}]"#,
        "\n"
    );
    assert_eq!(to_json(&[&EXTEND]), expected);
}

#[test]
fn templates_give_what_is_needed() {
    let expected = "operation,PurchaseID,Days,Note\nsegpay.extend_membership,80012345,30,\n";
    assert_eq!(template_csv(&EXTEND), expected);
    let expected = concat!(r#"{"operation":"segpay.extend_membership","PurchaseID":"80012345","Days":30}"#, "\n");
    assert_eq!(template_jsonl(&EXTEND), expected);
    let expected = "operation,Amount,User.Email,User.Name,UserId,Mode\nother.charge,9.95,a@example.com,A. Person,,\n";
    assert_eq!(template_csv(&CHARGE), expected, "rules are satisfied with as little as possible");
    let expected = concat!(
        r#"{"operation":"other.charge","Amount":"9.95","User":{"Email":"a@example.com","Name":"A. Person"}}"#,
        "\n"
    );
    assert_eq!(template_jsonl(&CHARGE), expected);
    assert_eq!(csv_line(["a,b", "\"c\"", "d"].into_iter()), "\"a,b\",\"\"\"c\"\"\",d");
}

#[test]
fn the_documentation() {
    let text = markdown(&[&EXTEND, &CHARGE]);
    let expected = "\
# Operations

## segpay

### `segpay.extend_membership`

Adds days to a membership.

- effect: adds up; a repeat doubles it
- verified by: reading the next bill date
- acts on: PurchaseID

| parameter | | type | meaning | example |
|---|---|---|---|---|
| `PurchaseID` | required | id, at most 20 characters | What it means. | `80012345` |
| `Days` | required | whole number | What it means. | `30` |
| `Note` | optional | text, at most 100 characters | What it means. | `a \"good\", long note` |

| the provider says | the row is |
|---|---|
| OK | applied |

## other
";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("| `Mode` | optional | now \\| later | What it means. | `now` |\n"), "{text}");
}
