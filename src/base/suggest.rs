//! Suggestions for an unknown name: the valid name for another library's name, or for a misspelling.

/// Other libraries' names of activations, costs, initialisations and the like, in lower case, without punctuation and a
/// final "loss". Only names of the same function, up to a factor, are listed.
const SYNONYMS: &[(&str, &[&str])] = &[
    ("mse", &["quadratic"]),
    ("meansquarederror", &["quadratic"]),
    ("squarederror", &["quadratic"]),
    ("leastsquares", &["quadratic"]),
    ("l2", &["quadratic"]),
    ("bce", &["cross_entropy"]),
    ("bcewithlogits", &["cross_entropy"]),
    ("binarycrossentropy", &["cross_entropy"]),
    ("crossentropy", &["cross_entropy", "log_likelihood"]),
    ("log", &["cross_entropy", "log_likelihood"]),
    ("logistic", &["sigmoid"]),
    ("categoricalcrossentropy", &["log_likelihood"]),
    ("sparsecategoricalcrossentropy", &["log_likelihood"]),
    ("softmaxcrossentropy", &["log_likelihood"]),
    ("negativeloglikelihood", &["log_likelihood"]),
    ("nll", &["log_likelihood"]),
    ("mae", &["absolute"]),
    ("meanabsoluteerror", &["absolute"]),
    ("l1", &["absolute"]),
    ("smoothl1", &["huber"]),
    ("expit", &["sigmoid"]),
    ("swish", &["silu"]),
    ("linear", &["identity"]),
    ("none", &["identity"]),
    ("lrelu", &["leaky_relu"]),
    ("hsigmoid", &["hard_sigmoid"]),
    ("hswish", &["hard_swish"]),
    ("hardsilu", &["hard_swish"]),
    ("sine", &["sin"]),
    ("geluapproximate", &["gelu_tanh"]),
    ("gelunew", &["gelu_tanh"]),
    ("glorot", &["xavier"]),
    ("glorotnormal", &["xavier"]),
    ("xaviernormal", &["xavier"]),
    ("kaiming", &["he"]),
    ("kaimingnormal", &["he"]),
    ("henormal", &["he"]),
    ("lecunnormal", &["lecun"]),
];

/// The longest name that is compared: somewhat longer than any valid name.
const MAX_LENGTH: usize = 64;

/// The names among `valid` that `got` may stand for, as a question; empty if there are none.
pub(crate) fn did_you_mean(got: &str, valid: &[&str]) -> String {
    if got.len() > MAX_LENGTH {
        return String::new();
    }
    let mut near = synonyms(got, valid);
    if near.is_empty() {
        near.extend(nearest(got, valid));
    }
    if near.is_empty() {
        return String::new();
    }
    format!("did you mean '{}'? ", near.join("' or '"))
}

fn synonyms(got: &str, valid: &[&str]) -> Vec<&'static str> {
    let letters = got.chars().filter(|letter| letter.is_alphanumeric());
    let plain: String = letters.flat_map(char::to_lowercase).collect();
    let plain = plain.strip_suffix("loss").unwrap_or(&plain);
    let found = SYNONYMS.iter().filter(|(theirs, _)| *theirs == plain);
    let ours = found.flat_map(|(_, ours)| *ours).copied();
    ours.filter(|name| valid.contains(name)).collect()
}

fn nearest<'a>(got: &str, valid: &[&'a str]) -> Option<&'a str> {
    let got = got.to_lowercase();
    valid
        .iter()
        .map(|name| (strsim::jaro_winkler(&got, name), *name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(similarity, _)| *similarity >= 0.7)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelling_suggests_the_nearest_name() {
        let valid = ["huber", "quadratic"];
        let said = "did you mean 'quadratic'? ";
        assert_eq!(did_you_mean("quadratc", &valid), said);
        assert_eq!(did_you_mean("Quadratic", &valid), said);
        assert_eq!(did_you_mean("zzz", &valid), "");
    }

    #[test]
    fn names_of_other_libraries_take_precedence() {
        let valid = ["relu", "leaky_relu", "quadratic"];
        assert_eq!(did_you_mean("lrelu", &valid), "did you mean 'leaky_relu'? ");
        for got in ["mse", "MSELoss", "mean_squared_error", "Squared-Error"] {
            assert_eq!(did_you_mean(got, &valid), "did you mean 'quadratic'? ");
        }
        let both = ["cross_entropy", "log_likelihood"];
        let said = "did you mean 'cross_entropy' or 'log_likelihood'? ";
        assert_eq!(did_you_mean("log_loss", &both), said);
        let said = "did you mean 'xavier'? ";
        assert_eq!(did_you_mean("glorot_normal", &["he", "xavier"]), said);
    }

    #[test]
    fn unrelated_names_suggest_nothing() {
        assert_eq!(did_you_mean("swish", &["quadratic", "huber"]), "");
        assert_eq!(did_you_mean("l1", &["relu", "tanh"]), "");
    }
}
