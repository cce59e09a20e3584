import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { createKeyJudge } from "./secret-keys.ts"

const SECRET = `password passwd userPassword PGPASSWORD db_password password2 newPasswd pass-word passPhrase pwd DB_PWD
  email Email user_email customerEmailAddress e-mail eMail emails secret client_secret clientSecret SECRETS AWS_SECRET_ACCESS_KEY
  token accessToken access_token refresh-token TOKEN csrftoken idToken oauth2Token JWTToken tokenValue token_secret
  api_key apiKey apikey x-api-key X-API-KEY APIKey privateKey private_key_pem signingKey encryption_keys sshKey accessKeyId
  stripe_key merchantKey crypt bcrypt encrypted encrypted_value userEncrypted salt password_salt userSalt certificate
  certificates clientCertificate otp OTP otp_code totp smsOtp ssn SSN userSSN ssn_last4 Authorization
  proxy-authorization cookie Set-Cookie sessionCookies credentials jwt bearer
  passwordHash password_reset_url email_template secret.value`.split(/\s+/)

const PUBLIC =
  `option options adoption topOption basalt salted_caramel identityKey identity_key idempotencyKey idempotency-key
  key keys keyName onKeyPress isKey primary_key foreignKey partitionKey sort_key cacheKey limit_key objectKey lockKeys monkey keyboard
  tokenCount token_type tokenExpiresAt token_ttl max_token_size tokenizer tokenized TokenExpiredError passwordChangedAt password_policy
  emailVerified emailStatus secretary secretariat secret_version encryption cryptocurrency crypto encryptedAt
  assn classNames ssnValid opts robot otpRequired cookieCount author authorId authorizationStatus authenticated
  compass bypass passed passenger taskId namespace workflow step attempt correlationId durationMs state id name`.split(
    /\s+/,
  )

describe("createKeyJudge", () => {
  const judge = createKeyJudge()

  test.each(SECRET)("%s is secret", (key) => {
    expect(judge(key)).toBe("secret")
  })

  test.each(PUBLIC)("%s is not", (key) => {
    expect(judge(key)).toBe("public")
  })

  test.each(["tokens", "maxTokens", "prompt_tokens", "completionTokens", "tokens.access"])(
    "%s is a number or a secret",
    (key) => {
      expect(judge(key)).toBe("secret-text")
    },
  )

  test("a key of several secret words is secret, also when one of them is counted", () => {
    expect(judge("secretTokens")).toBe("secret")
  })

  test("takes the user's keys by words, whatever the case and the separators", () => {
    const own = createKeyJudge({ keys: ["cardNumber", "iban", "2fa", "straße", "", "---"] })
    for (const key of [
      "cardNumber",
      "card_number",
      "CARD-NUMBER",
      "cardnumber",
      "customerCardNumberMasked",
      "card.number",
    ])
      expect(own(key)).toBe("secret")
    for (const key of ["IBAN", "customer_iban", "ibanCount", "2fa", "user2fa", "Straße", "password"])
      expect(own(key)).toBe("secret")
    for (const key of ["discardNumber", "cardNumbers", "urban", "number", "card", "fa", "", "---"])
      expect(own(key)).toBe("public")
  })

  test("shows what the user allows, and nothing longer", () => {
    const own = createKeyJudge({ keys: ["iban"], allow: ["e_mail", "iban", "pageToken"] })
    expect(["email", "eMail", "IBAN", "page-token"].map(own)).toEqual(["public", "public", "public", "public"])
    expect(["userEmail", "email2", "myIban", "token"].map(own)).toEqual(["secret", "secret", "secret", "secret"])
  })

  test("says the same the second time, and after thousands of other keys", () => {
    for (let round = 0; round < 2; round++) {
      expect(judge("password")).toBe("secret")
      expect(judge("passed")).toBe("public")
      for (let index = 0; index < 3_000; index++) judge(`k${index}`)
    }
    const long = `${"x".repeat(200)}_password`
    expect([judge(long), judge(long)]).toEqual(["secret", "secret"])
  })

  test("a secret word is found between any others, however they are written", () => {
    const word = fc.constantFrom("user", "db", "new", "old", "main", "shop", "order", "http")
    const secret = fc.constantFrom("password", "secret", "token", "salt", "otp", "ssn", "email", "certificate", "iban")
    const own = createKeyJudge({ keys: ["iban"] })
    fc.assert(
      fc.property(fc.array(word), secret, fc.array(word), (before, found, after) => {
        const words = [...before, found, ...after]
        const capital = words.map((part) => part.charAt(0).toUpperCase() + part.slice(1))
        const forms = [words.join("_"), words.join("-"), words.join(".").toUpperCase(), capital.join("")]
        for (const form of forms) expect([form, own(form)]).toEqual([form, "secret"])
      }),
    )
  })

  test("takes any key, in a time that grows with its length", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (key) => judge(key) !== undefined))
    const own = createKeyJudge({ keys: ["iban"] })
    const startedAt = performance.now()
    for (const part of ["A", "aB", "a_", "_", " key", "secre", "é9"]) own(part.repeat(100_000))
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })
})
