//! The sandbox's made-up credentials, and the variables under which a client finds them.
//!
//! The keys contain `+`, `/` and `=`, so that a client that does not encode what it puts into a URL is turned away.

/// Segpay's user of the reporting services.
pub(super) const SEGPAY_USER_ID: &str = "sandbox-user";
/// Its key.
pub(super) const SEGPAY_ACCESS_KEY: &str = "sandbox+access/key=1";
/// The merchant that they belong to.
pub(super) const SEGPAY_MERCHANT_ID: u32 = 20_213;
/// Its user of the upgrade API.
pub(super) const SEGPAY_API_USERNAME: &str = "sandbox-api-user";
/// Its password.
pub(super) const SEGPAY_API_PASSWORD: &str = "sandbox+api/password=2";
/// PayPro's vendor account.
pub(super) const PAYPRO_VENDOR_ACCOUNT_ID: &str = "70213";
/// Its key.
pub(super) const PAYPRO_API_SECRET_KEY: &str = "sandbox+secret/key=3";
/// 2Checkout's merchant.
pub(super) const TWOCHECKOUT_MERCHANT_CODE: &str = "SANDBOX";
/// Its key, which signs logins and is never sent.
pub(super) const TWOCHECKOUT_SECRET_KEY: &str = "sandbox+secret/key=4";

/// Everything a client needs to find the sandbox at `url` and be let in.
pub(super) fn environment(url: &str) -> Vec<(String, String)> {
    let merchant_id = SEGPAY_MERCHANT_ID.to_string();
    [
        ("SEGPAY_USER_ID", SEGPAY_USER_ID),
        ("SEGPAY_ACCESS_KEY", SEGPAY_ACCESS_KEY),
        ("SEGPAY_API_USERNAME", SEGPAY_API_USERNAME),
        ("SEGPAY_API_PASSWORD", SEGPAY_API_PASSWORD),
        ("SEGPAY_MERCHANT_ID", &merchant_id),
        ("PAYPRO_VENDOR_ACCOUNT_ID", PAYPRO_VENDOR_ACCOUNT_ID),
        ("PAYPRO_API_SECRET_KEY", PAYPRO_API_SECRET_KEY),
        ("TWOCHECKOUT_MERCHANT_CODE", TWOCHECKOUT_MERCHANT_CODE),
        ("TWOCHECKOUT_SECRET_KEY", TWOCHECKOUT_SECRET_KEY),
        ("SEGPAY_SRS_URL", url),
        ("SEGPAY_API_URL", url),
        ("PAYPRO_STORE_URL", url),
        ("TWOCHECKOUT_API_URL", url),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}
